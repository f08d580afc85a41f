import { findBindings } from './binding.ts'
import type { TaskDefinition } from './definition.ts'
import { type Expression, expressionPaths, parseExpression } from './expression.ts'
import { type Path, parsePath } from './path.ts'

/** One place where a task reads a value; `at` is inside the task, for example `input.items[0]`. */
export interface Reference {
  at: string
  text: string
  path: Path | undefined
  /** A missing value is an error in a binding, and null in a condition. */
  from: 'binding' | 'for_each' | 'when'
}

/** Every value that a task's `input`, `for_each` and `when` read. Throws badExpression for a `when` that can't be read. */
export function taskReferences(task: Pick<TaskDefinition, 'input' | 'for_each' | 'when'>): Reference[] {
  const references: Reference[] = findBindings(task.input, 'input').map((b) => ({ ...b, from: 'binding' }))
  if (typeof task.for_each === 'string') references.push(forEachReference(task.for_each))
  if (Array.isArray(task.for_each)) {
    references.push(...findBindings(task.for_each, 'for_each').map((b) => ({ ...b, from: 'for_each' as const })))
  }
  if (typeof task.when === 'string') {
    for (const path of expressionPaths(parseExpression(task.when))) {
      references.push({ at: 'when', text: task.when, path, from: 'when' })
    }
  }
  return references
}

/** `{{tasks.fetch.output.items}}` or the bare path. */
export function forEachPath(text: string): Path | undefined {
  const inner = /^\{\{([^{}]{1,300})\}\}$/.exec(text.trim())
  return parsePath((inner?.[1] ?? text).trim())
}

/** What a task needs at bind time, kept in its row so that finishing a task reads only that. */
export interface Needs {
  /** Keys of the tasks whose outputs are bound. */
  outputs: string[]
  /** Keys of the tasks that only the condition looks at. */
  looks_at: string[]
  goal: boolean
  plan: boolean
}

export function taskNeeds(references: readonly Reference[]): Needs {
  const outputs = new Set<string>()
  const looksAt = new Set<string>()
  let goal = false
  let plan = false
  for (const { path, from } of references) {
    if (path?.[0] === 'tasks') (from === 'when' ? looksAt : outputs).add(String(path[1]))
    goal ||= path?.[0] === 'goal'
    plan ||= path?.[0] === 'plan'
  }
  return { outputs: [...outputs], looks_at: [...looksAt], goal, plan }
}

/** The parsed condition of a task; undefined when it has none. */
export function condition(when: string | boolean | undefined): Expression | undefined {
  if (when === undefined) return undefined
  return typeof when === 'boolean' ? { kind: 'literal', value: when } : parseExpression(when)
}

function forEachReference(text: string): Reference {
  return { at: 'for_each', text, path: forEachPath(text), from: 'for_each' }
}
