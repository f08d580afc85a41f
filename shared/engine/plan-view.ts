import { sql } from 'kysely'
import { columnsOf, kindOf } from '../data/index.ts'
import type { Tx } from '../db/index.ts'
import { errors } from '../errors/index.ts'
import { type Gate, progressOf } from './plan-gate.ts'
import type { PlanRecord, PlanView, TaskRecord } from './types.ts'

/** Not `*`: the generated search column is nobody's business. */
const PLAN_COLUMNS = sql.join([...columnsOf(kindOf('plan')).keys()].map((name) => sql.ref(name)))

export interface PlanWithTasks {
  plan: PlanView
  /** In the order submitted, items of a fan-out after their task, compensations last. */
  tasks: TaskRecord[]
}

/** One plan with its live counters; E0004 for an unknown one. */
export async function planView(tx: Tx, planId: string): Promise<PlanView> {
  const [view] = await planViews(tx, [planId])
  if (!view) throw errors.notFound({ kind: 'plan', id: planId }, { hint: 'List ids with list_plans.' })
  return view
}

/** Plans with their live counters, in the order of the ids; unknown ones are left out. */
export async function planViews(tx: Tx, planIds: readonly string[]): Promise<PlanView[]> {
  const { rows } = await sql<PlanRecord>`
    select ${PLAN_COLUMNS} from core.plans where id = any(${[...planIds]}::text[]) and deleted_at is null`.execute(tx)
  const gates = await sql<Gate>`
    select * from core.plan_progress where plan_id = any(${[...planIds]}::text[])`.execute(tx)
  const gateOf = new Map(gates.rows.map((gate) => [gate.plan_id, gate]))
  const views = new Map(rows.map((plan) => [plan.id, view(plan, gateOf.get(plan.id))]))
  return planIds.flatMap((id) => views.get(id) ?? [])
}

/** One plan with its tasks; E0004 for an unknown one. */
export async function loadPlan(tx: Tx, planId: string): Promise<PlanWithTasks> {
  const plan = await planView(tx, planId)
  const { rows } = await sql<TaskRecord>`
    select * from core.tasks where plan_id = ${planId}
    order by (spec ? 'compensates'), coalesce(parent_task_id, id), id`.execute(tx)
  return { plan, tasks: rows }
}

function view(plan: PlanRecord, gate: Gate | undefined): PlanView {
  const none = { total: 0, pending: 0, completed: 0, failed: 0, skipped: 0, cancelled: 0 }
  if (!gate) return { ...plan, progress: none, phase: 'idle' }
  const { pending, ...counters } = progressOf(gate)
  return {
    ...plan,
    tasks_total: counters.total,
    tasks_completed: counters.completed,
    tasks_failed: counters.failed,
    tasks_skipped: counters.skipped,
    tasks_cancelled: counters.cancelled,
    progress: { ...counters, pending },
    phase: gate.phase,
  }
}
