import type { Tx } from '@story-portal/shared/db'
import { sql } from 'kysely'
import { endOf } from '../graph/links.ts'

/** A task or goal of planning that a context is linked with, as it is now. */
export type LinkedDrift = { id: string; title: string; status: string }

/** Those that somebody has changed since a version of the context was saved. */
export async function linkedSince(tx: Tx, taskId: string, version: number): Promise<LinkedDrift[]> {
  const { rows } = await sql<{ target_id: string }>`
    select l.target_id from core.task_links l
    join core.context_versions v on v.tenant_id = l.tenant_id and v.task_context_id = l.task_context_id
      and v.number = ${version}
    left join core.tasks t on t.tenant_id = l.tenant_id and t.id = l.target_id
    left join core.goals g on g.tenant_id = l.tenant_id and g.id = l.target_id
    where l.tenant_id = current_setting('app.tenant') and l.task_context_id = ${taskId} and l.deleted_at is null
      and coalesce(t.updated_at, g.updated_at) > v.created_at
    order by l.id limit 50`.execute(tx)
  const found: LinkedDrift[] = []
  for (const { target_id } of rows) {
    const end = await endOf(tx, target_id)
    if (end) found.push({ id: end.id, title: end.title, status: end.status })
  }
  return found
}
