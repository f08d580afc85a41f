import { sql } from 'kysely'
import { createRecords, inMs } from '../data/index.ts'
import type { Tx } from '../db/index.ts'
import { toErrorBody } from '../errors/index.ts'
import { assertSize, type Decision, decide, type Finished, MAX_VALUE_BYTES } from './decide.ts'
import { planErrors } from './errors.ts'
import { byMemory, passesOutputs } from './output-sizes.ts'
import { type Gate, planFacts } from './plan-gate.ts'
import { planAnewFor } from './statistics.ts'
import { countDown, dependenciesOf, ending, finishedByKey, moveTasks, type TaskRow, tasksById } from './task-rows.ts'
import { itemSpec } from './task-spec.ts'

/** A task that has just ended in this transaction. */
export type Ended = Pick<TaskRow, 'id' | 'key' | 'parent_task_id' | 'status' | 'spec'>

/** Skips run down a chain one task after the other; a longer one goes on in the next transaction, which the reconciler opens. */
const MAX_ROUNDS = 200

/**
 * Carries the plan on from tasks that have ended: counts them, frees those that waited, decides each, and so on while
 * decisions end further tasks. Work is O(dependants). The caller holds the gate and saves it.
 */
export async function carryOn(tx: Tx, gate: Gate, ended: readonly Ended[]): Promise<{ ready: number }> {
  let ready = 0
  let round = ended
  for (let i = 0; round.length > 0; i++) {
    for (const task of round) count(gate, task)
    // A failing plan starts nothing more: what waits is cancelled, not decided.
    if (gate.phase === 'failing') return { ready }
    const free = await countDown(tx, gate.tenant_id, round)
    if (i >= MAX_ROUNDS && free.length > 0) {
      gate.has_deferred = true
      return { ready: ready + 1 }
    }
    const next = await advance(tx, gate, free)
    ready += next.ready
    round = next.ended
  }
  return { ready }
}

/** Decides tasks that wait for nothing, and carries on from those that a decision ends. */
export async function release(tx: Tx, gate: Gate, ids: readonly string[]): Promise<{ ready: number }> {
  const first = await advance(tx, gate, ids)
  const more = await carryOn(tx, gate, first.ended)
  return { ready: first.ready + more.ready }
}

async function advance(tx: Tx, gate: Gate, ids: readonly string[]): Promise<{ ready: number; ended: Ended[] }> {
  const tasks = await tasksById(tx, ids)
  const parents = tasks.filter((task) => task.status === 'waiting')
  const fresh = tasks.filter((task) => task.status === 'pending')
  const decided = await decideWithin(tx, gate, fresh)
  const ended = [...(await endParents(tx, parents)), ...(await endDecided(tx, decided))]
  const ready = (await makeReady(tx, decided)) + (await fanOut(tx, gate, decided, ended))
  return { ready, ended }
}

interface Decided {
  task: TaskRow
  decision: Decision
}

/** Those that read more than a transaction may load fail, unread; what does not fit beside others waits for the next one. */
async function decideWithin(tx: Tx, gate: Gate, tasks: readonly TaskRow[]): Promise<Decided[]> {
  const { now, later, tooLarge } = await byMemory(tx, gate, tasks)
  if (later.length > 0) gate.has_deferred = true
  const refused = tooLarge.map((task) => {
    const error = planErrors.inputTooLarge({ task: task.key, max: MAX_VALUE_BYTES })
    return { task, decision: { go: 'fail' as const, error: { ...toErrorBody(error).error } } }
  })
  return [...refused, ...(await decideAll(tx, gate, now))]
}

async function decideAll(tx: Tx, gate: Gate, tasks: readonly TaskRow[]): Promise<Decided[]> {
  if (tasks.length === 0) return []
  const reads = ({ spec }: TaskRow) => [...spec.needs.outputs, ...spec.needs.looks_at]
  const wantOutputs = tasks.filter((task) => passesOutputs(task) || reads(task).length > 0)
  const neighbours = await dependenciesOf(tx, gate.tenant_id, ids(tasks), ids(wantOutputs))
  const byTask = Map.groupBy(neighbours, ({ task_id }) => task_id)
  // Most tasks read only what they depend on directly, and that is here already.
  const direct = new Set(neighbours.map(({ task_id, key }) => `${task_id} ${key}`))
  const keys = new Set(tasks.flatMap((task) => reads(task).filter((key) => !direct.has(`${task.id} ${key}`))))
  const others = await finishedByKey(tx, gate.plan_id, [...keys])
  const undone = new Map(
    (
      await tasksById(
        tx,
        tasks.flatMap(({ spec }) => spec.compensates ?? []),
      )
    ).map((t) => [t.id, t]),
  )
  const needsFacts = tasks.some(({ spec }) => spec.needs.goal || spec.needs.plan)
  const facts = needsFacts ? await planFacts(tx, gate.plan_id) : { goal: {}, plan: { id: gate.plan_id, input: null } }
  return tasks.map((task) => {
    const dependencies = new Map<string, Finished>(
      (byTask.get(task.id) ?? []).map(({ key, status, output, error }) => [key, { status, output, error }]),
    )
    const { key, kind, spec } = task
    const undoes = undone.get(spec.compensates ?? '')
    return { task, decision: decide({ key, kind, spec, dependencies, others, undoes }, facts) }
  })
}

async function makeReady(tx: Tx, decided: readonly Decided[]): Promise<number> {
  const moves = decided.flatMap(({ task, decision }) =>
    decision.go === 'ready'
      ? [
          {
            id: task.id,
            states: ['ready' as const],
            changes: { input: decision.input, ready_at: inMs(0), pending_dependencies: 0 },
          },
        ]
      : [],
  )
  await moveTasks(tx, moves)
  return moves.length
}

/** Skipped ones and those whose input could not be bound; a failure passes through `running`, as the states demand. */
async function endDecided(tx: Tx, decided: readonly Decided[]): Promise<Ended[]> {
  const skipped = decided.flatMap(({ task, decision }) => (decision.go === 'skip' ? [{ task, decision }] : []))
  for (const [reason, group] of Map.groupBy(skipped, ({ decision }) => decision.reason)) {
    const moves = group.map(({ task }) => ({ id: task.id, states: ['skipped' as const], changes: ending('skipped') }))
    await moveTasks(tx, moves, reason)
  }
  const failed = decided.flatMap(({ task, decision }) =>
    decision.go === 'fail' ? [{ task, error: decision.error }] : [],
  )
  await moveTasks(
    tx,
    failed.map(({ task, error }) => ({
      id: task.id,
      states: ['ready', 'running', 'failed'],
      changes: ending('failed', { error, pending_dependencies: 0 }),
    })),
    'its input could not be bound',
  )
  return [
    ...skipped.map(({ task }) => ({ ...task, status: 'skipped' as const })),
    ...failed.map(({ task }) => ({ ...task, status: 'failed' as const })),
  ]
}

/** Creates the items of fan-outs as tasks of their own; the parent waits for them. An empty list completes it. */
async function fanOut(tx: Tx, gate: Gate, decided: readonly Decided[], ended: Ended[]): Promise<number> {
  let items = 0
  for (const { task, decision } of decided) {
    if (decision.go !== 'fan_out') continue
    if (decision.inputs.length === 0) {
      const changes = ending('completed', { output: [], pending_dependencies: 0 })
      await moveTasks(tx, [{ id: task.id, states: ['ready', 'running', 'completed'], changes }])
      ended.push({ ...task, status: 'completed' })
      continue
    }
    const changes = { pending_dependencies: 0, started_at: inMs(0) }
    await moveTasks(tx, [{ id: task.id, states: ['ready', 'running', 'waiting'], changes }])
    await createItems(tx, task, decision.inputs)
    gate.total += decision.inputs.length
    items += decision.inputs.length
  }
  return items
}

async function createItems(tx: Tx, parent: TaskRow, inputs: readonly unknown[]): Promise<void> {
  await planAnewFor(tx, inputs.length)
  await createRecords(
    tx,
    'task',
    inputs.map((input, i) => ({
      plan_id: parent.plan_id,
      goal_id: parent.goal_id,
      parent_task_id: parent.id,
      key: `${parent.key}[${i}]`,
      name: parent.name,
      kind: parent.kind,
      status: 'ready' as const,
      spec: { ...itemSpec(parent.spec, i) },
      wave: parent.wave,
      max_attempts: parent.max_attempts,
      input,
      ready_at: inMs(0),
    })),
  )
  await sql`
    insert into core.task_waits (tenant_id, plan_id, task_id, pending)
    values (${parent.tenant_id}, ${parent.plan_id}, ${parent.id}, ${inputs.length})`.execute(tx)
}

/** A fan-out whose last item has ended: its output is the list of their outputs, in item order. */
async function endParents(tx: Tx, parents: readonly TaskRow[]): Promise<Ended[]> {
  const ended: Ended[] = []
  for (const parent of parents) {
    const outcome = await gather(tx, parent)
    const states = outcome.status === 'failed' ? (['failed'] as const) : (['running', 'completed'] as const)
    await moveTasks(tx, [{ id: parent.id, states: [...states], changes: ending(outcome.status, outcome.changes) }])
    ended.push({ ...parent, status: outcome.status })
  }
  return ended
}

async function gather(tx: Tx, parent: TaskRow) {
  const items = sql`core.tasks where tenant_id = ${parent.tenant_id} and parent_task_id = ${parent.id}`
  const { rows: sums } = await sql<{ total: number; missing: number; bytes: number }>`
    select count(*)::int as total, (count(*) filter (where status <> 'completed'))::int as missing,
      coalesce(sum(octet_length(output::text)), 0)::float8 as bytes from ${items}`.execute(tx)
  const { total = 0, missing = 0, bytes = 0 } = sums[0] ?? {}
  if (missing > 0) return failed(planErrors.childFailed({ count: missing, total, task: parent.key }))
  // PostgreSQL prints a value longer than it is sent, never twice as long.
  if (bytes > 2 * MAX_VALUE_BYTES) return failed(planErrors.inputTooLarge({ task: parent.key, max: MAX_VALUE_BYTES }))
  const { rows } = await sql<{ output: unknown }>`
    select output from ${items} order by (spec->>'position')::int`.execute(tx)
  const output = rows.map((item) => item.output)
  try {
    assertSize(output, parent.key)
  } catch (error) {
    return failed(error)
  }
  return { status: 'completed' as const, changes: { output } }
}

function failed(error: unknown) {
  return { status: 'failed' as const, changes: { error: { ...toErrorBody(error).error } } }
}

function count(gate: Gate, task: Ended): void {
  if (task.status === 'completed' || task.status === 'skipped' || task.status === 'cancelled') gate[task.status]++
  if (task.status !== 'failed') return
  gate.failed++
  // An item's failure becomes its fan-out's; a compensation's is shown and does not stop the others.
  const mayFail =
    task.spec.continue_on_failure === true || task.parent_task_id !== null || task.spec.compensates !== undefined
  if (mayFail || gate.phase !== 'running') return
  gate.phase = 'failing'
  gate.error = { ...toErrorBody(planErrors.taskFailed({ task: task.key })).error, task_id: task.id, key: task.key }
}

function ids(tasks: readonly TaskRow[]): string[] {
  return tasks.map(({ id }) => id)
}
