import { sql } from 'kysely'
import { inMs } from '../data/index.ts'
import type { Tx } from '../db/index.ts'
import { approvalOf } from './approval-state.ts'
import { releaseTask } from './release.ts'
import { lockTask, moveTasks, NO_LEASE, type TaskRow } from './task-rows.ts'
import { wake } from './wake.ts'

/**
 * Puts a claimed task aside while a person decides about its call: nobody holds a lease, and the decision makes it ready again,
 * for whoever claims it to go on with the same attempt. Where the decision was faster, it is handed back at once. False when
 * the lease is no longer the one of this fence, and then nothing changes.
 */
export async function parkTask(
  tx: Tx,
  lease: { task_id: string; fence: number },
  invocationId: string,
): Promise<boolean> {
  const task = await lockTask(tx, lease.task_id)
  if (task.status !== 'running' || task.fence !== lease.fence) return false
  // The decision locks the task first too: it comes wholly before this or wholly after.
  const approval = await approvalOf(tx, invocationId)
  if (approval?.status !== 'pending') return await releaseTask(tx, lease)
  const changes = { ...NO_LEASE, ready_at: null }
  await moveTasks(tx, [{ id: task.id, states: ['waiting'], changes }], `waits for ${approval.id}`)
  await wake(tx, { what: 'plan', tenant_id: task.tenant_id, plan_id: task.plan_id })
  return true
}

/** The task whose call an approval is about, locked before the approval; undefined for a call that no task made. */
export async function lockTaskOf(tx: Tx, approvalId: string): Promise<TaskRow | undefined> {
  const { rows } = await sql<{ id: string }>`
    select t.id from core.approvals a
    join core.invocations i on i.tenant_id = a.tenant_id and i.id = a.invocation_id
    join core.tasks t on t.tenant_id = i.tenant_id and t.id = i.task_id
    where a.id = ${approvalId}`.execute(tx)
  const [row] = rows
  return row && (await lockTask(tx, row.id))
}

/** Makes a task that was put aside ready again. */
export async function unparkTask(tx: Tx, task: TaskRow | undefined): Promise<void> {
  if (task?.status !== 'waiting') return
  await moveTasks(tx, [{ id: task.id, states: ['ready'], changes: { ready_at: inMs(0) } }], 'was decided')
  await wake(tx, { what: 'tasks', tenant_id: task.tenant_id, plan_id: task.plan_id })
}
