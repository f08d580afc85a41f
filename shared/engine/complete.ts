import { recordHistory } from '../data/index.ts'
import type { Tx } from '../db/index.ts'
import { finishTask } from './finish.ts'
import { lockPlanOfTask } from './plan-gate.ts'
import { lockTask } from './task-rows.ts'
import type { PlanRecord, TaskRecord } from './types.ts'

export interface Completed {
  task: TaskRecord
  plan_status: PlanRecord['status']
  /** This lease had completed the task before: `task.output` is what was recorded then. */
  repeated: boolean
}

/**
 * Completes a claimed task, or finds that this very lease has completed it before: an assistant whose answer got lost sends it
 * again. The token leaves the row with the lease; the entry of the history that ended the task still names it.
 */
export async function completeTask(
  tx: Tx,
  { task_id, lease_token, output }: { task_id: string; lease_token: string; output: unknown },
): Promise<Completed> {
  const gate = await lockPlanOfTask(tx, task_id)
  const row = await lockTask(tx, task_id)
  if (row.status === 'completed') {
    const [last] = await recordHistory(tx, 'task', task_id, { after_version: row.version - 1, limit: 1 })
    const repeated = last?.changes['lease_token']?.from === lease_token
    if (repeated) return { task: row as unknown as TaskRecord, plan_status: gate.plan_status, repeated }
  }
  const { task, plan } = await finishTask(tx, { task_id, lease_token, outcome: { status: 'completed', output } })
  return { task, plan_status: plan.status, repeated: false }
}
