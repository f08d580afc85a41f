import { sql } from 'kysely'
import { createRecords } from '../data/index.ts'
import type { Tx } from '../db/index.ts'
import { RetryPolicy } from './definition.ts'
import type { Gate } from './plan-gate.ts'
import { release } from './progress.ts'
import { writeEdges } from './task-edges.ts'
import type { TaskRow } from './task-rows.ts'
import type { TaskSpec } from './task-spec.ts'
import { wake } from './wake.ts'

/** Undoing is worth more patience than doing. */
const DEFAULT_RETRY = RetryPolicy.parse({ max_attempts: 5 })

/**
 * Adds what undoes the finished tasks of a failed or cancelled plan, as tasks of the plan itself: one after the other, in the
 * reverse order of completion, each run like any other task and so exactly once. One that fails for good stays there as failed
 * for a person to see, and the rest goes on. False when there is nothing to undo.
 */
export async function startCompensation(tx: Tx, gate: Gate): Promise<boolean> {
  const { rows } = await sql<Undone>`
    select id, plan_id, goal_id, key, name, wave, spec, (
      select i.id from core.invocations i where i.tenant_id = t.tenant_id and i.task_id = t.id and i.kind = 'tool'
        and i.status = 'succeeded'
        order by coalesce((i.caller->>'depth')::int, 0), i.created_at desc limit 1) as invocation_id
    from core.tasks t where plan_id = ${gate.plan_id} and status = 'completed' and spec->'compensate' is not null
    order by finished_at desc, wave desc, id desc`.execute(tx)
  if (rows.length === 0) return false
  gate.phase = 'compensating'
  gate.total += rows.length
  const created = await createRecords(tx, 'task', rows.map(compensationTask), { reason: 'undoes a finished task' })
  const ids = created.map(({ id }) => id)
  const edges = ids.slice(1).map((id, i) => ({ task_id: id, depends_on_id: ids[i] ?? '' }))
  await writeEdges(tx, gate.tenant_id, gate.plan_id, edges)
  await release(tx, gate, ids.slice(0, 1))
  await wake(tx, { what: 'tasks', tenant_id: gate.tenant_id, plan_id: gate.plan_id })
  return true
}

interface Undone extends Pick<TaskRow, 'id' | 'plan_id' | 'goal_id' | 'key' | 'name' | 'wave' | 'spec'> {
  /** Of a registered tool's call; what the tool's own code called is deeper. */
  invocation_id: string | null
}

type Undo = Exclude<NonNullable<TaskSpec['compensate']>, 'tool'>

/** The tool's own code undoes it, once however often it is asked to. */
const OWN = 'tool-execution.compensate_invocation'

function compensationTask(task: Undone, i: number) {
  const { compensate = {} } = task.spec
  const undo: Undo = compensate === 'tool' ? { tool: OWN, input: { invocation_id: task.invocation_id } } : compensate
  const retry = undo.retry ?? DEFAULT_RETRY
  const { tool, version, tool_version, code, language, permissions, limits, timeout_ms } = undo
  const input = undo.input ?? (code === undefined ? {} : { input: '{{task.input}}', output: '{{task.output}}' })
  const definition = { tool, version, tool_version, code, language, permissions, limits, timeout_ms, input, retry }
  const given = Object.fromEntries(Object.entries(definition).filter(([, value]) => value !== undefined))
  const spec: TaskSpec = {
    ...given,
    depends_on: [],
    pass_outputs: false,
    needs: { outputs: [], looks_at: [], goal: false, plan: false },
    position: task.spec.position,
    compensates: task.id,
  }
  return {
    plan_id: task.plan_id,
    goal_id: task.goal_id,
    key: `${task.key}~undo`,
    name: `Undo ${task.name ?? task.key}`,
    kind: code === undefined ? ('tool' as const) : ('code' as const),
    status: 'pending' as const,
    spec: { ...spec },
    wave: task.wave,
    max_attempts: retry.max_attempts,
    pending_dependencies: i === 0 ? 0 : 1,
  }
}
