import { sql } from 'kysely'
import type { Caller } from '../auth/index.ts'
import type { Tx } from '../db/index.ts'
import { planErrors } from './errors.ts'

/**
 * Throws leaseLost (E0601) unless the task that a call is made for still runs under the fence of its caller: a worker that stalled
 * past its lease must start nothing more (I4). The row is locked, so the task can't go to another before this transaction ends.
 */
export async function assertTaskLease(tx: Tx, { task_id, fence }: Pick<Caller, 'task_id' | 'fence'>): Promise<void> {
  if (task_id === undefined || fence === undefined) return
  const { rows } = await sql<{ status: string; fence: number }>`
    select status, fence from core.tasks where id = ${task_id} for share`.execute(tx)
  const [task] = rows
  if (task?.status === 'running' && task.fence === fence) return
  const status = task?.status ?? 'unknown'
  throw planErrors.leaseLost({ task: task_id, status }, { details: { status } })
}
