import { sql } from 'kysely'
import { findRecord, inMs, updateRecord } from '../data/index.ts'
import type { Tx } from '../db/index.ts'
import { cancelInvocationsOf } from './call-cancel.ts'
import { startCompensation } from './compensation.ts'
import { MAX_VALUE_BYTES } from './decide.ts'
import { counterColumns, type Gate, progressOf, saveGate } from './plan-gate.ts'
import { followPlan } from './run-of-plan.ts'
import { ending, moveTasks, type TaskRow } from './task-rows.ts'
import { wake } from './wake.ts'

/** States in which nobody works on a task. */
const IDLE = ['pending', 'ready', 'blocked', 'waiting']

/**
 * The last step of every transaction that ended tasks: cancels what a failing plan has left, starts compensation, ends the plan
 * and its goal when no task is left, and saves the gate.
 */
export async function closeIfDone(tx: Tx, gate: Gate): Promise<void> {
  if (gate.phase === 'failing') await cancelTasks(tx, gate, IDLE, 'another task failed and ended the plan')
  if (progressOf(gate).pending === 0 && !gate.has_deferred) await close(tx, gate)
  await saveGate(tx, gate)
}

/** Cancels the plan's tasks in the given states, and their calls; a running one loses its lease with the fence. */
export async function cancelTasks(tx: Tx, gate: Gate, states: readonly string[], reason: string): Promise<TaskRow[]> {
  const { rows } = await sql<TaskRow>`
    select * from core.tasks where plan_id = ${gate.plan_id} and status = any(${[...states]}::text[])
    order by id for no key update`.execute(tx)
  if (rows.length === 0) return []
  const moves = rows.map((task) => ({
    id: task.id,
    states: ['cancelled' as const],
    changes: ending('cancelled', task.status === 'running' ? { fence: task.fence + 1 } : {}),
  }))
  await moveTasks(tx, moves, reason)
  const ids = rows.map(({ id }) => id)
  // Whatever the task's state: one that was handed back is ready, and its calls may run on elsewhere.
  await cancelInvocationsOf(tx, gate.tenant_id, ids)
  await sql`delete from core.task_waits where task_id = any(${ids}::text[])`.execute(tx)
  gate.cancelled += rows.length
  return rows
}

async function close(tx: Tx, gate: Gate): Promise<void> {
  if (gate.phase === 'running') return await endPlan(tx, gate, 'completed')
  if (gate.phase === 'failing' && !(await startCompensation(tx, gate))) return await endPlan(tx, gate, 'failed')
  // Compensations whose input can't be bound have ended already.
  if (gate.phase !== 'compensating' || progressOf(gate).pending > 0) return
  if (gate.plan_status === 'cancelled') await finishCancelled(tx, gate)
  else await endPlan(tx, gate, 'failed')
}

/** The plan's own end, with its counters, and its goal's where the goal says so. */
export async function endPlan(
  tx: Tx,
  gate: Gate,
  status: 'completed' | 'failed' | 'cancelled',
  reason?: string,
): Promise<void> {
  gate.phase = 'ended'
  // A paused plan whose last running task ends: the states lead through executing.
  if (gate.plan_status === 'paused' && status !== 'cancelled')
    await updateRecord(tx, 'plan', gate.plan_id, { status: 'executing' })
  gate.plan_status = status
  const counters = counterColumns(gate)
  await updateRecord(
    tx,
    'plan',
    gate.plan_id,
    { status, ...counters, error: gate.error, finished_at: inMs(0) },
    given(reason),
  )
  const result = status === 'completed' ? await planResult(tx, gate) : null
  await followPlan(tx, gate.plan_id, status, { output: result, error: gate.error })
  await endGoal(tx, gate, status, result)
  await wake(tx, { what: 'plan', tenant_id: gate.tenant_id, plan_id: gate.plan_id })
}

/** The counters of a cancelled plan once its compensations have ended too. */
async function finishCancelled(tx: Tx, gate: Gate): Promise<void> {
  gate.phase = 'ended'
  await updateRecord(tx, 'plan', gate.plan_id, counterColumns(gate), { reason: 'its compensations have ended' })
  await wake(tx, { what: 'plan', tenant_id: gate.tenant_id, plan_id: gate.plan_id })
}

async function endGoal(
  tx: Tx,
  gate: Gate,
  status: 'completed' | 'failed' | 'cancelled',
  output: unknown,
): Promise<void> {
  const goal = await findRecord(tx, 'goal', gate.goal_id, { forUpdate: true })
  if (goal?.status !== 'active' || goal.completes_with !== 'plan') return
  if (status !== 'completed' && (await hasOtherPlan(tx, gate))) return
  const result = status === 'completed' ? { result: output } : { error: gate.error }
  await updateRecord(tx, 'goal', gate.goal_id, { status, ...result }, { reason: `plan ${gate.plan_id} is ${status}` })
}

function given(reason: string | undefined) {
  return reason === undefined ? {} : { reason }
}

/** A revision that is ready or under way will decide about the goal instead. */
async function hasOtherPlan(tx: Tx, gate: Gate): Promise<boolean> {
  const { rows } = await sql`
    select 1 from core.plans where goal_id = ${gate.goal_id} and id <> ${gate.plan_id} and deleted_at is null
      and status in ('validated', 'executing', 'paused') limit 1`.execute(tx)
  return rows.length > 0
}

const MAX_RESULT_TASKS = 100

/** Outputs of the tasks that nothing depends on, by key; only a note when they are too many or too large for a goal. */
async function planResult(tx: Tx, gate: Gate): Promise<unknown> {
  const last = sql`
    select t.key, t.output from core.tasks t
    where t.tenant_id = ${gate.tenant_id} and t.plan_id = ${gate.plan_id} and t.status = 'completed'
      and t.parent_task_id is null
      and not exists (select from core.task_dependencies d where d.tenant_id = t.tenant_id and d.depends_on_id = t.id)
    order by t.id limit ${MAX_RESULT_TASKS + 1}`
  const { rows: sizes } = await sql<{ n: number; bytes: number }>`
    select count(*)::int as n, coalesce(sum(octet_length(output::text)), 0)::float8 as bytes from (${last}) l`.execute(
    tx,
  )
  const { n = 0, bytes = 0 } = sizes[0] ?? {}
  if (n > MAX_RESULT_TASKS || bytes > MAX_VALUE_BYTES)
    return { plan_id: gate.plan_id, note: 'get_plan lists the outputs; they are too many to repeat here' }
  const { rows } = await sql<{ key: string; output: unknown }>`${last}`.execute(tx)
  return Object.fromEntries(rows.map(({ key, output }) => [key, output]))
}
