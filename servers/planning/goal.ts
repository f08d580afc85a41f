import { type ChangesOf, findRecord, listRecords, type RecordOf, updateRecord } from '@story-portal/shared/data'
import type { Tx } from '@story-portal/shared/db'
import { errors } from '@story-portal/shared/errors'
import { planningErrors } from './errors.ts'

const ENDED = ['completed', 'failed', 'cancelled']

interface ChangeOptions {
  expected_version?: number
  reason?: string
}

/** Changes a goal; its end waits for its plans, because a plan that runs on for an ended goal would work for nobody. */
export async function changeGoal(
  tx: Tx,
  goalId: string,
  changes: ChangesOf<'goal'>,
  options: ChangeOptions,
): Promise<RecordOf<'goal'>> {
  const { status } = changes
  // Locked before its plans are looked at: run_plan locks it too, so that no plan begins in between.
  const goal = await goalOf(tx, goalId, { forUpdate: true })
  if (status !== undefined && ENDED.includes(status)) await refuseOpenPlans(tx, goalId)
  if (status === 'cancelled' && goal.status === 'pending') {
    // A goal nobody began may still be given up; the states allow that only by way of active.
    await updateRecord(tx, 'goal', goalId, { status: 'active' }, options)
    return updateRecord(tx, 'goal', goalId, changes, options.reason === undefined ? {} : { reason: options.reason })
  }
  return updateRecord(tx, 'goal', goalId, changes, options)
}

/** The goal, or NOT_FOUND. */
export async function goalOf(tx: Tx, goalId: string, options: { forUpdate?: boolean } = {}): Promise<RecordOf<'goal'>> {
  const goal = await findRecord(tx, 'goal', goalId, options)
  if (!goal) throw errors.notFound({ kind: 'goal', id: goalId }, { hint: 'List ids with list_goals.' })
  return goal
}

/** Throws goalEnded for a goal that takes no more plans, NOT_FOUND for one that is not there. */
export async function openGoal(tx: Tx, goalId: string): Promise<RecordOf<'goal'>> {
  const goal = await goalOf(tx, goalId)
  if (ENDED.includes(goal.status)) throw planningErrors.goalEnded({ goal: goal.id, status: goal.status })
  return goal
}

async function refuseOpenPlans(tx: Tx, goalId: string): Promise<void> {
  for (const status of ['executing', 'paused'] as const) {
    const { items } = await listRecords(tx, 'plan', { filter: { goal_id: goalId, status }, limit: 1 })
    const [plan] = items
    if (plan) throw planningErrors.goalBusy({ goal: goalId, plan: plan.id, status })
  }
}
