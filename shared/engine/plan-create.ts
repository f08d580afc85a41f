import { sql } from 'kysely'
import type { Caller } from '../auth/index.ts'
import { createRecord, createRecords, getRecord } from '../data/index.ts'
import type { Tx } from '../db/index.ts'
import { type PlanDefinition, RetryPolicy, type TaskDefinition } from './definition.ts'
import { planErrors } from './errors.ts'
import { loadPlan, type PlanWithTasks } from './plan-view.ts'
import { type Edge, writeEdges } from './task-edges.ts'
import { taskSpec } from './task-spec.ts'
import type { PlanCheck, PlanRecord, ToolLookup } from './types.ts'
import { checkPlan } from './validate.ts'

export interface NewPlan {
  goal_id: string
  name?: string | undefined
  strategy?: string | undefined
  /** As the client wrote it; checked here, so any value may be given. */
  definition: unknown
  /** Who its tasks run as. */
  caller: Caller
  tools?: ToolLookup | undefined
}

/** Checks a plan and keeps it as `validated` with its tasks, one statement per table; throws invalidPlan with every fault. */
export async function createPlan(tx: Tx, plan: NewPlan): Promise<PlanWithTasks> {
  const { definition, check } = soundPlan(plan)
  await getRecord(tx, 'goal', plan.goal_id)
  const { planId } = await insertPlan(tx, plan, definition, check)
  return await loadPlan(tx, planId)
}

/** The normalised definition, or invalidPlan. */
export function soundPlan(plan: Pick<NewPlan, 'definition' | 'tools'>): {
  definition: PlanDefinition
  check: PlanCheck
} {
  const { check, definition } = checkPlan(plan.definition, plan.tools ? { tools: plan.tools } : {})
  if (definition) return { definition, check }
  const [first] = check.faults
  const shown = first ? `${first.path} ${first.message}`.trim() : ''
  throw planErrors.invalidPlan({ count: check.faults.length, first: shown }, { details: { faults: check.faults } })
}

/** The plan, its live row, its tasks and their dependencies. `done` names the tasks that a revision takes over as finished. */
export async function insertPlan(
  tx: Tx,
  plan: NewPlan,
  definition: PlanDefinition,
  check: PlanCheck,
  revision: { number: number; of: string; done: ReadonlySet<string> } | undefined = undefined,
): Promise<{ planId: string; idOf: ReadonlyMap<string, string> }> {
  const record = await createRecord(tx, 'plan', {
    goal_id: plan.goal_id,
    name: plan.name ?? null,
    revision: revision?.number ?? 1,
    revises_plan_id: revision?.of ?? null,
    status: 'validated',
    strategy: plan.strategy ?? null,
    definition: { ...definition },
    waves: check.waves,
    critical_path: check.critical_path.keys,
    caller: { ...plan.caller },
    tasks_total: definition.tasks.length,
    max_parallel: definition.max_parallel ?? null,
  })
  const waveOf = new Map(check.waves.flatMap((keys, wave) => keys.map((key) => [key, wave] as const)))
  const tasks = await createRecords(
    tx,
    'task',
    definition.tasks.map((task, i) => ({
      ...taskRow(record, task, waveOf.get(task.key) ?? 0),
      spec: { ...taskSpec(task, i, plan.tools) },
    })),
  )
  const idOf = new Map(tasks.map(({ key, id }) => [key, id]))
  await insertProgress(tx, record, definition.tasks.length)
  await insertEdges(tx, record, definition.tasks, idOf, revision?.done ?? new Set())
  return { planId: record.id, idOf }
}

function taskRow(plan: PlanRecord, task: TaskDefinition, wave: number) {
  return {
    plan_id: plan.id,
    goal_id: plan.goal_id,
    key: task.key,
    name: task.name ?? null,
    kind: task.kind,
    status: 'pending' as const,
    wave,
    pending_dependencies: task.depends_on.length,
    max_attempts: (task.retry ?? RetryPolicy.parse({})).max_attempts,
  }
}

async function insertProgress(tx: Tx, plan: PlanRecord, total: number): Promise<void> {
  await sql`
    insert into core.plan_progress (tenant_id, plan_id, goal_id, plan_status, phase, total, max_parallel)
    values (${plan.tenant_id}, ${plan.id}, ${plan.goal_id}, ${plan.status}, 'idle', ${total}, ${plan.max_parallel})
  `.execute(tx)
}

async function insertEdges(
  tx: Tx,
  plan: PlanRecord,
  tasks: readonly TaskDefinition[],
  idOf: ReadonlyMap<string, string>,
  done: ReadonlySet<string>,
): Promise<void> {
  const doneIds = new Set([...done].map((key) => idOf.get(key)))
  const edges: Edge[] = tasks.flatMap((task) =>
    task.depends_on.map((key) => ({ task_id: idOf.get(task.key) ?? '', depends_on_id: idOf.get(key) ?? '' })),
  )
  await writeEdges(tx, plan.tenant_id, plan.id, edges, (edge) => !doneIds.has(edge.depends_on_id))
}
