import { inMs } from '../data/index.ts'
import type { Tx } from '../db/index.ts'
import { lockTask, moveTasks, NO_LEASE } from './task-rows.ts'
import { wake } from './wake.ts'

/**
 * Hands a claimed task back, for another worker to go on with the same attempt at once: what a process does that stops. False
 * when the lease is no longer the one of this fence, and then nothing changes.
 */
export async function releaseTask(tx: Tx, lease: { task_id: string; fence: number }): Promise<boolean> {
  const task = await lockTask(tx, lease.task_id)
  if (task.status !== 'running' || task.fence !== lease.fence) return false
  const changes = { ...NO_LEASE, ready_at: inMs(0) }
  await moveTasks(tx, [{ id: task.id, states: ['ready'], changes }], 'its worker stopped')
  await wake(tx, { what: 'tasks', tenant_id: task.tenant_id, plan_id: task.plan_id })
  return true
}
