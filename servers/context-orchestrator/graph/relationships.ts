import type { Tx } from '@story-portal/shared/db'
import { sql } from 'kysely'
import { endOf, type Link } from './links.ts'

const MOST = 20
const BACKWARDS = { depends_on: 'blocks', related_to: 'related_to', parent: 'child' } as const

/** What a task is linked with, from its own side, with the state of each as it is now; the first so many, and how many more there are. */
export async function relationshipsOf(tx: Tx, taskId: string) {
  const { rows } = await sql<Pick<Link, 'task_context_id' | 'relation' | 'target_id'> & { all_of: number }>`
    select task_context_id, relation, target_id, (count(*) over ())::int as all_of from core.task_links
    where tenant_id = current_setting('app.tenant') and (task_context_id = ${taskId} or target_id = ${taskId})
      and deleted_at is null order by id limit ${MOST}`.execute(tx)
  const shown: { relation: string; id: string; title: string; status: string; done: boolean }[] = []
  for (const { task_context_id, relation, target_id } of rows) {
    const forwards = task_context_id === taskId
    const other = await endOf(tx, forwards ? target_id : task_context_id)
    if (!other) continue
    const { id, title, status, done } = other
    shown.push({ relation: forwards ? relation : BACKWARDS[relation], id, title, status, done })
  }
  return { shown, more: Math.max(0, (rows[0]?.all_of ?? 0) - MOST) }
}
