import { isStoryPortalError, toErrorBody } from '../errors/index.ts'
import { bind } from './binding.ts'
import { MAX_FAN_OUT, type TaskKind } from './definition.ts'
import { planErrors } from './errors.ts'
import { evaluate, isTrue } from './expression.ts'
import { lookUp } from './path.ts'
import type { PlanFacts } from './plan-gate.ts'
import { condition, forEachPath } from './references.ts'
import type { TaskSpec } from './task-spec.ts'

/** Bytes of JSON that one task's input or output may have. */
export const MAX_VALUE_BYTES = 4 * 1024 * 1024

/** A finished task as those after it see it. */
export interface Finished {
  status: string
  output: unknown
  error: unknown
}

export interface Decidable {
  key: string
  kind: TaskKind
  spec: TaskSpec
  /** By key: the tasks it depends on directly. */
  dependencies: ReadonlyMap<string, Finished>
  /** By key: further tasks that it reads. */
  others: ReadonlyMap<string, Finished>
  /** The finished task that this one compensates. */
  undoes?: { input: unknown; output: unknown } | undefined
}

export type Decision =
  | { go: 'ready'; input: unknown }
  | { go: 'fan_out'; inputs: unknown[] }
  | { go: 'skip'; reason: string }
  | { go: 'fail'; error: Record<string, unknown> }

/**
 * What becomes of a task whose dependencies have all ended. Pure. It is skipped when its condition is false, when it binds the
 * output of a task that has none, or when everything it depends on was skipped; so a skip runs down a chain, and a task that
 * joins two branches still runs when one of them was taken. Otherwise its input is bound now and never again (I5).
 */
export function decide(task: Decidable, facts: PlanFacts): Decision {
  try {
    const context = contextOf(task, facts)
    const when = condition(task.spec.when)
    if (when && !isTrue(evaluate(when, context))) return { go: 'skip', reason: 'its condition is false' }
    const missing = task.spec.needs.outputs.find((key) => found(task, key)?.status !== 'completed')
    if (missing !== undefined) return { go: 'skip', reason: `task ${missing} has no output` }
    if (allSkipped(task)) return { go: 'skip', reason: 'everything it depends on was skipped' }
    if (task.spec.for_each === undefined) return { go: 'ready', input: inputOf(task, context, {}) }
    return { go: 'fan_out', inputs: fanOut(task, context) }
  } catch (error) {
    if (!isStoryPortalError(error)) throw error
    return { go: 'fail', error: { ...toErrorBody(error).error } }
  }
}

/** Throws inputTooLarge when a value is too big to travel through rows and events. */
export function assertSize(value: unknown, task: string): void {
  const bytes = Buffer.byteLength(JSON.stringify(value) ?? 'null')
  if (bytes > MAX_VALUE_BYTES) throw planErrors.inputTooLarge({ task, max: MAX_VALUE_BYTES })
}

function contextOf(task: Decidable, facts: PlanFacts) {
  const { undoes } = task
  const own = undoes ? { task: { input: undoes.input, output: undoes.output } } : {}
  return { tasks: Object.fromEntries([...task.others, ...task.dependencies]), ...facts, ...own }
}

function found(task: Decidable, key: string): Finished | undefined {
  return task.dependencies.get(key) ?? task.others.get(key)
}

function allSkipped({ dependencies }: Decidable): boolean {
  return dependencies.size > 0 && [...dependencies.values()].every(({ status }) => status === 'skipped')
}

function fanOut(task: Decidable, context: object): unknown[] {
  const list = listOf(task, context)
  if (!Array.isArray(list)) throw planErrors.fanOutNotList({ task: task.key })
  if (list.length > MAX_FAN_OUT) {
    throw planErrors.fanOutTooWide({ task: task.key, count: list.length, max: MAX_FAN_OUT })
  }
  // Each item carrying what the list came from would be quadratic, so outputs are passed on to items only when asked for.
  const item = { ...task, spec: { pass_outputs: false, ...task.spec } }
  const inputs = list.map((value, index) => inputOf(item, { ...context, item: value, index }, { item: value, index }))
  assertSize(inputs, task.key)
  return inputs
}

function listOf(task: Decidable, context: object): unknown {
  const { for_each } = task.spec
  if (typeof for_each !== 'string') return bind(for_each, context)
  const path = forEachPath(for_each)
  return path && lookUp(context, path)
}

/**
 * A tool gets its bound arguments and nothing else. Other kinds also get the outputs of the tasks they depend on, as
 * `input.tasks.<key>.output` (and, when claimed, as `input.<key>`), and inside a fan-out `input.item` and `input.index`.
 */
function inputOf(task: Decidable, context: object, item: object): unknown {
  const bound = bind(task.spec.input ?? {}, context)
  const isObject = typeof bound === 'object' && bound !== null && !Array.isArray(bound)
  if (task.kind === 'tool' || !isObject) {
    assertSize(bound, task.key)
    return bound
  }
  const outputs = [...task.dependencies].filter(([, { status }]) => status === 'completed')
  const passed = task.spec.pass_outputs === false ? [] : outputs.map(([key, { output }]) => [key, { output }] as const)
  const input = { ...item, ...(passed.length > 0 ? { tasks: Object.fromEntries(passed) } : {}), ...bound }
  assertSize(input, task.key)
  return input
}

/** The input as the worker sees it: `input.<key>` beside `input.tasks.<key>.output`, kept once in the row. */
export function expandInput(kind: TaskKind, input: unknown): unknown {
  const tasks = kind === 'tool' ? undefined : lookUp(input, ['tasks'])
  if (typeof tasks !== 'object' || tasks === null) return input
  const outputs = Object.entries(tasks).flatMap(([key, task]) => {
    const output = lookUp(task, ['output'])
    return output === undefined ? [] : [[key, output] as const]
  })
  return { ...Object.fromEntries(outputs), ...(input as object) }
}
