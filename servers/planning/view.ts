import { listRecords } from '@story-portal/shared/data'
import type { Tx } from '@story-portal/shared/db'
import { type PlanView, type TaskRecord, withLeaseEnds } from '@story-portal/shared/engine'
import type { Fault } from '@story-portal/shared/errors'
import { given } from './given.ts'

const MAX_OUTPUT = 4_000
const MAX_PREVIEW = 400
const MAX_WAVE_KEYS = 500

/** Columns of a plan that grow with its tasks and that no list shows. */
export const LARGE = ['definition', 'waves', 'critical_path', 'caller']

/** What a client sees of a plan: how it stands, not how it is stored. */
export function planForClient(plan: PlanView) {
  const { id, goal_id, name, revision, revises_plan_id, status, phase, strategy, progress, max_parallel } = plan
  const { error, created_at, started_at, paused_at, finished_at, version } = plan
  return {
    ...{ id, goal_id, name, revision, revises_plan_id, status, phase, strategy, progress, max_parallel },
    ...wavesForClient(plan.waves ?? []),
    critical_path: (plan.critical_path ?? []).slice(0, MAX_WAVE_KEYS),
    ...{ error, created_at, started_at, paused_at, finished_at, version },
  }
}

/** What a client sees of a task. Its lease token is its holder's secret and never part of a view. */
export function taskForClient(task: TaskRecord, whole = false) {
  const { id, key, name, kind, status, wave, parent_task_id, attempts, max_attempts, error, lease_owner } = task
  const { ready_at, retry_at, started_at, finished_at, lease_expires_at } = task
  return {
    ...{ id, key, kind, status, attempts, max_attempts },
    ...cut(task.output, key, whole),
    error,
    ...present({ name, wave, parent_task_id, ready_at, retry_at, started_at, finished_at }),
    ...(lease_expires_at === null ? {} : { lease_owner, lease_expires_at }),
    ...(whole ? { input: task.input, spec: task.spec } : {}),
  }
}

/** Warnings, where there are any. */
export function told(warnings: readonly Fault[]): { warnings?: Record<string, unknown>[] } {
  return warnings.length === 0 ? {} : { warnings: warnings.map((warning) => ({ ...warning })) }
}

const MAX_TASKS = 100

/** The first tasks of a plan just made, in the order they may run. */
export function tasksForClient(tasks: readonly TaskRecord[]) {
  const shown = tasks.slice(0, MAX_TASKS).map((task) => taskForClient(task))
  const left = tasks.length - shown.length
  return left === 0
    ? { tasks: shown }
    : { tasks: shown, tasks_omitted: left, hint: 'get_plan lists all tasks in pages.' }
}

interface TaskQuery {
  plan_id: string
  keys?: string[]
  status?: string
  limit?: number
  cursor?: string
}

/** A page of a plan's tasks, wave by wave; tasks asked for by key come whole. */
export async function pageOfTasks(tx: Tx, { plan_id, keys, status, limit = MAX_TASKS, cursor }: TaskQuery) {
  const filter = { plan_id, ...given({ key: keys, status }) }
  const { items, next_cursor } = await listRecords(tx, 'task', { filter, sort: 'wave', limit, ...given({ cursor }) })
  const shown = await withLeaseEnds(tx, items)
  return { tasks: shown.map((task) => taskForClient(task, keys !== undefined)), next_cursor }
}

/** Every task of a plan costs its reader context, so a large output is named and not sent unless asked for. */
function cut(output: unknown, key: string, whole: boolean): Record<string, unknown> {
  if (whole || output === null) return { output }
  const text = JSON.stringify(output)
  if (text.length <= MAX_OUTPUT) return { output }
  return {
    output: null,
    output_omitted: {
      bytes: Buffer.byteLength(text),
      preview: text.slice(0, MAX_PREVIEW),
      hint: `get_plan with keys ["${key}"] returns it whole.`,
    },
  }
}

function wavesForClient(waves: string[][]) {
  const keys = waves.reduce((sum, wave) => sum + wave.length, 0)
  if (keys <= MAX_WAVE_KEYS) return { waves }
  return { waves: [], wave_sizes: waves.map((wave) => wave.length) }
}

function present(fields: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null))
}
