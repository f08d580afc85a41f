import { sql } from 'kysely'
import { getRecord, inMs, updateRecord } from '../data/index.ts'
import type { Tx } from '../db/index.ts'
import { startCompensation } from './compensation.ts'
import { planErrors } from './errors.ts'
import { cancelTasks, closeIfDone, endPlan } from './plan-end.ts'
import { type Gate, lockPlan, type PlanFacts, progressOf, saveGate } from './plan-gate.ts'
import { planView } from './plan-view.ts'
import { release } from './progress.ts'
import { followPlan } from './run-of-plan.ts'
import type { PlanRecord, PlanView } from './types.ts'
import { wake } from './wake.ts'

/** Tasks decided in one transaction; a plan with more without dependencies starts in several. */
const RELEASE_AT_ONCE = 2_000

/** Starts a validated plan: freezes what its tasks may bind, activates the goal, and makes ready what waits for nothing. */
export async function startPlan(tx: Tx, planId: string): Promise<PlanView> {
  const gate = await lockPlan(tx, planId)
  assertStatus(gate, 'run_plan', ['validated'])
  await freezeFacts(tx, gate)
  await setStatus(tx, gate, 'executing', { started_at: inMs(0) })
  gate.phase = 'running'
  await releaseFree(tx, gate)
  await closeIfDone(tx, gate)
  await wake(tx, { what: 'tasks', tenant_id: gate.tenant_id, plan_id: planId })
  return await planView(tx, planId)
}

/** Stops claiming; tasks under way end as usual and what they free waits. */
export async function pausePlan(tx: Tx, planId: string, options: { reason?: string } = {}): Promise<PlanView> {
  const gate = await lockPlan(tx, planId)
  assertStatus(gate, 'pause_plan', ['executing'])
  await setStatus(tx, gate, 'paused', { paused_at: inMs(0) }, options.reason)
  await saveGate(tx, gate)
  return await planView(tx, planId)
}

/** Lets a paused plan go on. */
export async function resumePlan(tx: Tx, planId: string): Promise<PlanView> {
  const gate = await lockPlan(tx, planId)
  assertStatus(gate, 'run_plan', ['paused'])
  await setStatus(tx, gate, 'executing', { paused_at: null })
  await closeIfDone(tx, gate)
  await wake(tx, { what: 'tasks', tenant_id: gate.tenant_id, plan_id: planId })
  return await planView(tx, planId)
}

/**
 * Cancels a plan: every open task is cancelled and every lease is fenced off, so that what still runs can record nothing; then
 * what asks for it is compensated. The plan is `cancelled` at once, its `phase` says `compensating` until that is done.
 */
export async function cancelPlan(tx: Tx, planId: string, options: { reason?: string } = {}): Promise<PlanView> {
  const gate = await lockPlan(tx, planId)
  assertStatus(gate, 'cancel_plan', ['draft', 'validated', 'executing', 'paused'])
  assertNotCompensating(gate, 'cancel_plan')
  await stopTasks(tx, gate, options.reason ?? 'the plan was cancelled')
  await endPlan(tx, gate, 'cancelled', options.reason)
  if (await startCompensation(tx, gate)) await closeIfDone(tx, gate)
  else await saveGate(tx, gate)
  return await planView(tx, planId)
}

/** Cancels what is open in a plan and the calls it is dispatching; compensations under way go on elsewhere. */
export async function stopTasks(tx: Tx, gate: Gate, reason: string): Promise<void> {
  const open = ['pending', 'ready', 'blocked', 'waiting', 'running']
  await cancelTasks(tx, gate, open, reason)
  gate.has_deferred = false
}

/** Decides tasks that became free and were left for later; ends the plan when nothing is left. The reconciler calls it. */
export async function advancePlan(tx: Tx, planId: string): Promise<void> {
  const gate = await lockPlan(tx, planId)
  if (gate.phase === 'idle' || gate.phase === 'ended') return
  // A failing plan only has tasks to cancel, such as those whose worker was lost after it began to fail.
  const { ready } = gate.phase === 'failing' ? { ready: 0 } : await releaseFree(tx, gate)
  await closeIfDone(tx, gate)
  if (ready > 0) await wake(tx, { what: 'tasks', tenant_id: gate.tenant_id, plan_id: planId })
}

async function releaseFree(tx: Tx, gate: Gate): Promise<{ ready: number }> {
  const { rows } = await sql<{ id: string }>`
    select t.id from core.tasks t
    where t.plan_id = ${gate.plan_id} and t.status = 'pending'
      and not exists (select from core.task_waits w where w.tenant_id = t.tenant_id and w.task_id = t.id)
    order by t.id limit ${RELEASE_AT_ONCE + 1}`.execute(tx)
  gate.has_deferred = rows.length > RELEASE_AT_ONCE
  return await release(
    tx,
    gate,
    rows.slice(0, RELEASE_AT_ONCE).map(({ id }) => id),
  )
}

const ENDED_GOAL: ReadonlySet<string> = new Set(['completed', 'failed', 'cancelled'])

/** Under the goal's lock: a plan does not begin for a goal that has ended, nor does its goal end while it begins. */
async function freezeFacts(tx: Tx, gate: Gate): Promise<void> {
  const goal = await getRecord(tx, 'goal', gate.goal_id, { forUpdate: true })
  const plan = await getRecord(tx, 'plan', gate.plan_id)
  // A revision carries on the work of the plan whose end ended the goal; a goal that was given up takes none.
  const carriesOn = plan.revises_plan_id !== null && goal.status !== 'cancelled'
  if (ENDED_GOAL.has(goal.status) && !carriesOn) {
    const params = { plan: gate.plan_id, status: `for a goal that is ${goal.status}`, action: 'run_plan' }
    const hint = 'Create a goal with create_goal and plan for that one.'
    throw planErrors.wrongPlanState({ ...params, needed: 'an open goal' }, { hint, details: { status: goal.status } })
  }
  if (goal.status === 'pending') {
    await updateRecord(tx, 'goal', goal.id, { status: 'active' }, { reason: `plan ${gate.plan_id} began` })
  }
  const { id, title, description, constraints } = goal
  const facts: Omit<PlanFacts, 'plan'> = { goal: { id, title, description, constraints } }
  await sql`
    update core.plan_progress pp set facts = ${JSON.stringify(facts)}::jsonb || jsonb_build_object(
      'plan', jsonb_build_object('id', pp.plan_id, 'input', p.definition->'input'))
    from core.plans p where p.tenant_id = pp.tenant_id and p.id = pp.plan_id and pp.plan_id = ${gate.plan_id}`.execute(
    tx,
  )
}

async function setStatus(
  tx: Tx,
  gate: Gate,
  status: PlanRecord['status'],
  changes: Partial<Pick<PlanRecord, 'started_at' | 'paused_at'>>,
  reason?: string,
): Promise<void> {
  gate.plan_status = status
  await updateRecord(tx, 'plan', gate.plan_id, { status, ...changes }, reason === undefined ? {} : { reason })
  await followPlan(tx, gate.plan_id, status)
  await wake(tx, { what: 'plan', tenant_id: gate.tenant_id, plan_id: gate.plan_id })
}

/** Undoing is not undone: it ends by itself, and the plan with it. */
export function assertNotCompensating(gate: Gate, action: string): void {
  if (gate.phase !== 'compensating') return
  const params = { plan: gate.plan_id, status: 'undoing what it did', action, needed: 'its end' }
  throw planErrors.wrongPlanState(params, { details: { status: gate.plan_status, progress: progressOf(gate) } })
}

function assertStatus(gate: Gate, action: string, needed: PlanRecord['status'][]): void {
  if (needed.includes(gate.plan_status)) return
  const params = { plan: gate.plan_id, status: gate.plan_status, action, needed: needed.join(' or ') }
  throw planErrors.wrongPlanState(params, { details: { status: gate.plan_status, progress: progressOf(gate) } })
}
