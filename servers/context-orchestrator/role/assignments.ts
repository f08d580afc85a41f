import { createRecord, findRecord, type RecordOf, updateRecord } from '@story-portal/shared/data'
import type { Tx } from '@story-portal/shared/db'
import { sql } from 'kysely'
import type { Task } from '../store.ts'

export type Assignment = RecordOf<'role_assignment'>

/** The role on a task now: of a session, else of whoever works on it. */
export async function activeRole(tx: Tx, taskId: string, sessionId?: string): Promise<Assignment | undefined> {
  const { rows } = await sql<{ id: string }>`
    select id from core.role_assignments where tenant_id = current_setting('app.tenant') and task_context_id = ${taskId}
      and coalesce(session_id, '') in ('', ${sessionId ?? ''}) and status = 'active' and deleted_at is null
    order by session_id nulls last limit 1`.execute(tx)
  return rows[0] && findRecord(tx, 'role_assignment', rows[0].id)
}

interface Wanted {
  role: string
  session_id: string | undefined
  note: string | undefined
}

/** On a task that the caller has locked: the one before, of the same session, ends. The same role again changes nothing. */
export async function assignRole(
  tx: Tx,
  task: Task,
  { role, session_id, note }: Wanted,
): Promise<Assignment | undefined> {
  const before = await activeRole(tx, task.id, session_id)
  const own = before && before.session_id === (session_id ?? null) ? before : undefined
  if (own?.role === role) return own
  if (own) await updateRecord(tx, 'role_assignment', own.id, { status: 'ended' })
  await createRecord(tx, 'role_assignment', {
    ...{ project_id: task.project_id, task_context_id: task.id, role, status: 'active' },
    ...{ session_id: session_id ?? null, note: note ?? null },
  })
  return before
}
