import { type Fault, isStoryPortalError, safeText } from '../errors/index.ts'
import { DEFAULT_ESTIMATE_MS, MAX_FAN_OUT, MAX_TASKS, PlanDefinition, type TaskDefinition } from './definition.ts'
import { ancestors, criticalPath, findCycle, type Graph, type Order, order } from './graph.ts'
import { lookUp } from './path.ts'
import { type Reference, taskReferences } from './references.ts'
import { shapeFaults } from './shape-faults.ts'
import { taskFaults } from './task-faults.ts'
import type { PlanCheck, ValidateOptions } from './types.ts'

const MAX_FAULTS = 100

/**
 * Finds everything that would stop a plan from running, before anything runs: shape, keys, cycles, bindings, conditions, tools.
 * Pure and O(n + e); any value may be given. Waves and critical path are empty while a fault makes them meaningless.
 */
export function validatePlan(definition: unknown, options: ValidateOptions = {}): PlanCheck {
  return checkPlan(definition, options).check
}

/** As `validatePlan`, with the normalised definition when there is no fault. */
export function checkPlan(
  raw: unknown,
  options: ValidateOptions = {},
): { check: PlanCheck; definition?: PlanDefinition } {
  const tooMany = countFault(raw, options.max_tasks ?? MAX_TASKS)
  if (tooMany) return { check: failed([tooMany]) }
  const parsed = PlanDefinition.safeParse(raw)
  if (!parsed.success) return { check: failed(shapeFaults(parsed.error.issues, raw)) }
  const tasks = parsed.data.tasks
  const index = new Map(tasks.map((task, i) => [task.key, i]))
  const faults = [
    ...duplicateFaults(tasks, index),
    ...tasks.flatMap((task, i) => taskFaults(task, `tasks[${i}]`, options)),
  ]
  const { graph, faults: edgeFaults } = readGraph(tasks, index)
  faults.push(...edgeFaults)
  const sorted = order(graph)
  const cycle = findCycle(graph, sorted)
  if (cycle) faults.push(cycleFault(tasks, cycle))
  // In a circle nothing comes before anything, so only a plan without one is asked who comes before whom.
  const isBefore = cycle ? () => true : undefined
  faults.push(...bindingFaults(parsed.data, index, graph, sorted, isBefore))
  if (faults.length > 0) return { check: failed(faults) }
  return { check: { faults: [], ...schedule(tasks, graph, sorted) }, definition: parsed.data }
}

function failed(faults: Fault[]): PlanCheck {
  const shown = faults.slice(0, MAX_FAULTS)
  if (faults.length > MAX_FAULTS) shown.push({ path: '', message: `and ${faults.length - MAX_FAULTS} more faults` })
  return { faults: shown, waves: [], critical_path: { keys: [], estimate_ms: 0 } }
}

/** Counted before anything else, so that an enormous plan costs nothing. */
function countFault(raw: unknown, max: number): Fault | undefined {
  const tasks = (raw as { tasks?: unknown } | null | undefined)?.tasks
  if (!Array.isArray(tasks) || tasks.length <= max) return undefined
  return {
    path: 'tasks',
    message: `has ${tasks.length} tasks; at most ${max} are allowed`,
    hint: `Split the plan, or let one task with for_each work through a list (up to ${MAX_FAN_OUT} items).`,
  }
}

function duplicateFaults(tasks: TaskDefinition[], index: Map<string, number>): Fault[] {
  // The map holds the last task of each key, so every earlier one of the same key is a duplicate.
  return tasks.flatMap((task, i) => {
    const last = index.get(task.key)
    if (last === i) return []
    const fault = { path: `tasks[${last}].key`, message: `${task.key} is also the key of tasks[${i}]` }
    return [{ ...fault, hint: 'Give every task a key of its own.' }]
  })
}

function readGraph(tasks: TaskDefinition[], index: Map<string, number>): { graph: Graph; faults: Fault[] } {
  const faults: Fault[] = []
  const dependencies = tasks.map((task, i) => {
    const found = new Set<number>()
    task.depends_on.forEach((key, j) => {
      const at = index.get(key)
      const path = `tasks[${i}].depends_on[${j}]`
      if (at === undefined) {
        faults.push({
          path,
          message: `there is no task ${safeText(key, 80)}`,
          hint: 'Use the key of a task of this plan.',
        })
      } else if (found.has(at)) {
        faults.push({ path, message: `${key} is named twice`, hint: 'Name each dependency once.' })
      } else found.add(at)
    })
    return [...found]
  })
  return { graph: { size: tasks.length, dependencies }, faults }
}

function cycleFault(tasks: TaskDefinition[], cycle: number[]): Fault {
  const [first = 0, second = 0] = cycle
  const keys = cycle.map((i) => tasks[i]?.key ?? '')
  const shown = keys.length > 12 ? [...keys.slice(0, 6), '...', ...keys.slice(-5)] : keys
  const at = tasks[first]?.depends_on.indexOf(tasks[second]?.key ?? '') ?? 0
  return {
    path: `tasks[${first}].depends_on[${at}]`,
    message: `the tasks wait for each other in a circle: ${shown.join(' -> ')}`,
    hint: 'Remove one of these dependencies.',
  }
}

interface PlacedReference extends Reference {
  task: number
  target: number | undefined
}

function bindingFaults(
  { tasks, input }: PlanDefinition,
  index: Map<string, number>,
  graph: Graph,
  sorted: Order,
  always?: () => boolean,
): Fault[] {
  const placed = tasks.flatMap((task, i) => references(task, i, index))
  const targets = new Set(placed.flatMap((r) => r.target ?? []))
  const isBefore = always ?? ancestors(graph, sorted, targets)
  return placed.flatMap((reference) => bindingFault(reference, tasks, isBefore) ?? inputFault(reference, input) ?? [])
}

function references(task: TaskDefinition, at: number, index: Map<string, number>): PlacedReference[] {
  try {
    return taskReferences(task).map((r) => ({
      ...r,
      task: at,
      target: r.path?.[0] === 'tasks' ? index.get(String(r.path[1])) : undefined,
    }))
  } catch (error) {
    // A condition that can't be read is reported by taskFaults; its bindings are looked at once it can.
    if (isStoryPortalError(error)) return []
    throw error
  }
}

function bindingFault(
  r: PlacedReference,
  tasks: TaskDefinition[],
  isBefore: (a: number, t: number) => boolean,
): Fault | undefined {
  const path = `tasks[${r.task}].${r.at}`
  const root = r.path?.[0]
  const task = tasks[r.task]
  if (root !== 'tasks') return rootFault(r, path, task?.for_each !== undefined && r.from === 'binding')
  const key = safeText(r.path?.[1] ?? '', 80)
  if (r.target === undefined) {
    return {
      path,
      message: `binds to task ${key}, which is not in the plan`,
      hint: 'Use the key of a task of this plan.',
    }
  }
  if (!isBefore(r.target, r.task)) {
    return {
      path,
      message: `binds to task ${key}, which does not come before it`,
      hint: `Add "${key}" to depends_on of ${task?.key}.`,
    }
  }
  const member = r.path?.[2]
  const readable = r.from === 'when' ? ['output', 'status', 'error'] : ['output']
  if (readable.includes(String(member))) return undefined
  return {
    path,
    message: `${safeText(r.text, 80)} names no output`,
    hint: `Write {{tasks.${key}.output}} or a path below it.`,
  }
}

/** A binding into the plan's input that finds nothing there fails its task when it runs; a condition reads null. */
function inputFault(r: PlacedReference, input: unknown): Fault | undefined {
  const [root, member, ...rest] = r.path ?? []
  if (root !== 'plan' || member !== 'input' || r.from === 'when' || lookUp(input ?? null, rest) !== undefined)
    return undefined
  const names = Object.keys(typeof input === 'object' && input !== null ? input : {}).slice(0, 20)
  return {
    path: `tasks[${r.task}].${r.at}`,
    message: `${safeText(r.text, 80)} is not in the plan's input`,
    hint:
      names.length === 0 ? 'The plan has no input: give it one.' : `The input has: ${safeText(names.join(', '), 200)}.`,
  }
}

function rootFault(r: Reference, path: string, hasItem: boolean): Fault | undefined {
  const [root, member] = r.path ?? []
  if (root === 'goal' && ['id', 'title', 'description', 'constraints'].includes(String(member))) return undefined
  if (root === 'plan' && ['id', 'input'].includes(String(member))) return undefined
  if (hasItem && (root === 'item' || root === 'index')) return undefined
  return {
    path,
    message: `${safeText(r.text, 80)} is bound to nothing`,
    hint: 'Bind to {{tasks.<key>.output...}}, {{plan.input...}}, {{goal.title}}, or with for_each to {{item}} and {{index}}.',
  }
}

function schedule(tasks: TaskDefinition[], graph: Graph, sorted: Order): Omit<PlanCheck, 'faults'> {
  const waves: string[][] = []
  for (const i of sorted.topological) {
    const depth = sorted.depth[i] ?? 0
    waves[depth] ??= []
    waves[depth].push(tasks[i]?.key ?? '')
  }
  const weight = (i: number) => {
    const task = tasks[i]
    return task ? (task.estimate_ms ?? DEFAULT_ESTIMATE_MS[task.kind]) : 0
  }
  const critical = criticalPath(graph, sorted, weight)
  return { waves, critical_path: { keys: critical.path.map((i) => tasks[i]?.key ?? ''), estimate_ms: critical.weight } }
}
