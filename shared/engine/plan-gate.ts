import { sql } from 'kysely'
import type { Tx } from '../db/index.ts'
import { errors } from '../errors/index.ts'
import type { PlanProgress, PlanRecord, PlanView } from './types.ts'

/**
 * A plan's live state, one row beside its record: the record holds the whole definition and so would cost O(plan) per change.
 * Whoever changes a plan's tasks locks this row first ("the gate"), then tasks by id, then the plan, then streams by name, so
 * finishing, cancelling, pausing and revising one plan never deadlock and never see half of each other. Claims and heartbeats
 * lock single tasks only and do not wait here.
 */
export interface Gate {
  tenant_id: string
  plan_id: string
  goal_id: string
  /** The record's status: read under the lock, never from a snapshot taken before it. */
  plan_status: PlanRecord['status']
  phase: PlanView['phase']
  total: number
  completed: number
  failed: number
  skipped: number
  cancelled: number
  /** Tasks that became decidable and were left for the next transaction. */
  has_deferred: boolean
  /** Why the plan is failing. */
  error: Record<string, unknown> | null
}

/** What tasks may bind besides outputs, frozen when the plan starts (I5). */
export interface PlanFacts {
  goal: Record<string, unknown>
  plan: { id: string; input: unknown }
}

/** Takes the gate of a plan; E0004 for an unknown one. */
export async function lockPlan(tx: Tx, planId: string): Promise<Gate> {
  const gate = await selectGate(tx, sql`plan_id = ${planId}`)
  if (!gate) throw errors.notFound({ kind: 'plan', id: planId }, { hint: 'List ids with list_plans.' })
  return gate
}

/** Takes the gate of the plan that a task belongs to; E0004 for an unknown task. */
export async function lockPlanOfTask(tx: Tx, taskId: string): Promise<Gate> {
  const gate = await selectGate(tx, sql`plan_id = (select plan_id from core.tasks where id = ${taskId})`)
  if (!gate) throw errors.notFound({ kind: 'task', id: taskId }, { hint: 'claim_task and get_plan give task ids.' })
  return gate
}

/** Writes the gate back at the end of a transaction. */
export async function saveGate(tx: Tx, gate: Gate): Promise<void> {
  await sql`
    update core.plan_progress set plan_status = ${gate.plan_status}, phase = ${gate.phase}, total = ${gate.total},
      completed = ${gate.completed}, failed = ${gate.failed}, skipped = ${gate.skipped}, cancelled = ${gate.cancelled},
      has_deferred = ${gate.has_deferred}, error = ${gate.error === null ? null : JSON.stringify(gate.error)}::jsonb
    where plan_id = ${gate.plan_id}`.execute(tx)
}

/** The facts frozen at the start; read only when a task binds them, because a plan's input may be large. */
export async function planFacts(tx: Tx, planId: string): Promise<PlanFacts> {
  const { rows } = await sql<{ facts: PlanFacts | null }>`
    select facts from core.plan_progress where plan_id = ${planId}`.execute(tx)
  return rows[0]?.facts ?? { goal: {}, plan: { id: planId, input: null } }
}

export function progressOf(gate: Gate): PlanProgress {
  const { total, completed, failed, skipped, cancelled } = gate
  return { total, completed, failed, skipped, cancelled, pending: total - completed - failed - skipped - cancelled }
}

/** The counters as columns of the plan's record. */
export function counterColumns(gate: Gate) {
  return {
    tasks_total: gate.total,
    tasks_completed: gate.completed,
    tasks_failed: gate.failed,
    tasks_skipped: gate.skipped,
    tasks_cancelled: gate.cancelled,
  }
}

async function selectGate(tx: Tx, where: ReturnType<typeof sql>): Promise<Gate | undefined> {
  const { rows } = await sql<Gate>`
    select tenant_id, plan_id, goal_id, plan_status, phase, total, completed, failed, skipped, cancelled, has_deferred, error
    from core.plan_progress where ${where} for update`.execute(tx)
  return rows[0]
}
