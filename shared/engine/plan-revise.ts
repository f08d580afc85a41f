import { sql } from 'kysely'
import { hashJson, updateRecord } from '../data/index.ts'
import type { Tx } from '../db/index.ts'
import type { PlanDefinition, TaskDefinition } from './definition.ts'
import { insertPlan, type NewPlan, soundPlan } from './plan-create.ts'
import { counterColumns, lockPlan, saveGate } from './plan-gate.ts'
import { loadPlan, type PlanWithTasks } from './plan-view.ts'
import { assertNotCompensating, stopTasks } from './plans.ts'
import { taskNeeds, taskReferences } from './references.ts'
import { followPlan } from './run-of-plan.ts'
import { ending, moveTasks, type TaskRow } from './task-rows.ts'
import type { PlanRecord } from './types.ts'
import { wake } from './wake.ts'

export interface Revision extends Pick<NewPlan, 'definition' | 'caller' | 'tools'> {
  reason?: string | undefined
}

/**
 * Replaces a plan by a new version (revision + 1, `validated`; start it with startPlan). Completed tasks that are written the
 * same and whose dependencies were taken over too keep their output; everything else is new. A version that has not ended is
 * cancelled without compensation and without ending the goal, because the new one carries the work on.
 */
export async function revisePlan(
  tx: Tx,
  planId: string,
  revision: Revision,
): Promise<PlanWithTasks & { carried_over: string[] }> {
  const { definition, check } = soundPlan(revision)
  const gate = await lockPlan(tx, planId)
  assertNotCompensating(gate, 'revise_plan')
  const { plan: old, tasks } = await loadPlan(tx, planId)
  const reason = revision.reason ?? 'the plan was revised'
  if (!['completed', 'failed', 'cancelled'].includes(gate.plan_status)) {
    await stopTasks(tx, gate, reason)
    gate.phase = 'ended'
    gate.plan_status = 'cancelled'
    await updateRecord(tx, 'plan', planId, { status: 'cancelled', ...counterColumns(gate) }, { reason })
    await followPlan(tx, planId, 'cancelled')
    await wake(tx, { what: 'plan', tenant_id: gate.tenant_id, plan_id: planId })
    await saveGate(tx, gate)
  }
  const finished = new Map(
    (tasks as unknown as TaskRow[]).filter((t) => t.status === 'completed').map((t) => [t.key, t]),
  )
  const carried = carriedOver(old, definition, check.waves, finished)
  const plan = { goal_id: old.goal_id, name: old.name ?? undefined, strategy: old.strategy ?? undefined, ...revision }
  const number = await nextRevision(tx, old)
  const { planId: newId, idOf } = await insertPlan(tx, plan, definition, check, { number, of: planId, done: carried })
  await takeOver(
    tx,
    newId,
    idOf,
    [...carried].flatMap((key) => finished.get(key) ?? []),
  )
  return { ...(await loadPlan(tx, newId)), carried_over: [...carried] }
}

/** Keys of the tasks that stay done, found wave by wave so that dependencies come first. */
function carriedOver(
  old: PlanRecord,
  definition: PlanDefinition,
  waves: readonly string[][],
  finished: ReadonlyMap<string, TaskRow>,
): Set<string> {
  const before = old.definition as unknown as PlanDefinition
  const oldTasks = new Map(before.tasks.map((task) => [task.key, task]))
  const newTasks = new Map(definition.tasks.map((task) => [task.key, task]))
  const sameInput = hashJson(before.input ?? null) === hashJson(definition.input ?? null)
  const carried = new Set<string>()
  for (const key of waves.flat()) {
    const was = oldTasks.get(key)
    const is = newTasks.get(key)
    if (!was || !is || !finished.has(key) || fingerprint(was) !== fingerprint(is)) continue
    const needs = taskNeeds(taskReferences(is))
    const reads = [...is.depends_on, ...needs.outputs, ...needs.looks_at]
    if (reads.every((k) => carried.has(k)) && (sameInput || !needs.plan)) carried.add(key)
  }
  return carried
}

/** What a task does; not how it is called, how long it may take or what undoes it. */
function fingerprint(task: TaskDefinition): string {
  const { name, description, estimate_ms, retry, timeout_ms, compensate, continue_on_failure, ...does } = task
  return hashJson(does)
}

async function takeOver(
  tx: Tx,
  planId: string,
  idOf: ReadonlyMap<string, string>,
  finished: readonly TaskRow[],
): Promise<void> {
  if (finished.length === 0) return
  const moves = finished.map((task) => ({
    id: idOf.get(task.key) ?? '',
    states: ['ready' as const, 'running' as const, 'completed' as const],
    changes: ending('completed', {
      input: task.input,
      output: task.output,
      attempts: task.attempts,
      started_at: task.started_at,
      finished_at: task.finished_at,
      pending_dependencies: 0,
    }),
  }))
  await moveTasks(tx, moves, 'taken over from the plan that this one revises')
  await sql`update core.plan_progress set completed = ${finished.length} where plan_id = ${planId}`.execute(tx)
  await updateRecord(tx, 'plan', planId, { tasks_completed: finished.length })
}

/** Two revisions of one plan get numbers of their own. */
async function nextRevision(tx: Tx, old: PlanRecord): Promise<number> {
  const { rows } = await sql<{ top: number }>`
    select max(revision) as top from core.plans where goal_id = ${old.goal_id} and revision >= ${old.revision}`.execute(
    tx,
  )
  return (rows[0]?.top ?? old.revision) + 1
}
