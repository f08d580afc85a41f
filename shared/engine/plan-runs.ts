import { createRecord, inMs } from '../data/index.ts'
import type { Tx } from '../db/index.ts'
import { lockPlan } from './plan-gate.ts'
import { planView } from './plan-view.ts'
import { resumePlan, startPlan } from './plans.ts'
import { planRun, type RunRecord } from './run-of-plan.ts'
import type { PlanRecord, PlanView } from './types.ts'

/**
 * Starts a plan, resumes a paused one, or joins one that runs or has ended; whoever asks again gets the same run. Two callers
 * at the same moment meet at the plan's gate.
 */
export async function runPlan(tx: Tx, planId: string): Promise<{ plan: PlanView; run: RunRecord | undefined }> {
  const { plan_status } = await lockPlan(tx, planId)
  // Before the plan starts: a plan whose every task is skipped ends in the same transaction, and its run with it.
  if (plan_status === 'validated') await createRun(tx, await planView(tx, planId))
  const plan = await advance(tx, planId, plan_status)
  return { plan, run: await planRun(tx, planId) }
}

function advance(tx: Tx, planId: string, status: PlanRecord['status']): Promise<PlanView> {
  if (status === 'paused') return resumePlan(tx, planId)
  // Starting what can't be started says why.
  return ['executing', 'completed', 'failed'].includes(status) ? planView(tx, planId) : startPlan(tx, planId)
}

async function createRun(tx: Tx, { id, goal_id, definition }: PlanView): Promise<void> {
  const input = (definition as { input?: unknown } | null)?.input ?? null
  await createRecord(tx, 'run', { kind: 'plan', plan_id: id, goal_id, status: 'running', input, started_at: inMs(0) })
}
