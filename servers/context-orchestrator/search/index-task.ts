import type { Tx } from '@story-portal/shared/db'
import { storeEmbedding } from '@story-portal/shared/embedding'
import { sql } from 'kysely'
import type { Checkpoint } from '../checkpoint.ts'
import type { Task } from '../store.ts'
import { searchText } from './search-text.ts'

export const TASK_EMBEDDING = 'task_context'

/** What counts for likeness: more would drown what the task is about. */
const MOST_FOR_LIKENESS = 4_000

/** Makes what a task holds from now on findable, in the transaction that saves it. */
export async function indexTask(tx: Tx, { id, project_id, title }: Task, checkpoint: Checkpoint): Promise<void> {
  const body = searchText(checkpoint)
  await sql`
    insert into core.context_search (tenant_id, task_context_id, project_id, saved_at, title, body)
    values (current_setting('app.tenant'), ${id}, ${project_id}, core.now(), ${title}, ${body})
    on conflict (tenant_id, task_context_id) do update
      set title = excluded.title, body = excluded.body, saved_at = excluded.saved_at`.execute(tx)
  await storeEmbedding(tx, TASK_EMBEDDING, { id, text: likenessText(title, body) })
}

export function likenessText(title: string, body: string): string {
  return `${title}\n${title}\n${body.slice(0, MOST_FOR_LIKENESS)}`
}
