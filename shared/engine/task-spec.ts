import type { TaskDefinition } from './definition.ts'
import { type Needs, taskNeeds, taskReferences } from './references.ts'
import type { ToolLookup } from './types.ts'

type Declared = Exclude<NonNullable<TaskDefinition['compensate']>, 'tool'>

/** What a task's row keeps of its definition: everything that binding and running it need, so that nobody reads the plan again. */
export interface TaskSpec extends Omit<TaskDefinition, 'key' | 'kind' | 'name' | 'compensate'> {
  compensate?: 'tool' | (Declared & { tool_version?: string }) | undefined
  needs: Needs
  /** Place in the submitted list. */
  position: number
  /** Set on compensations: the id of the task that they undo. */
  compensates?: string
  /** The version that `version` stood for when the plan was made (I5); undefined for tools that are not registered ones. */
  tool_version?: string
}

export function taskSpec(task: TaskDefinition, position: number, tools?: ToolLookup): TaskSpec {
  const { key: _key, kind: _kind, name: _name, compensate, ...rest } = task
  const needs = taskNeeds(taskReferences(task))
  const undo = typeof compensate === 'object' ? { ...compensate, ...resolved(compensate, tools) } : compensate
  return { ...rest, ...resolved(task, tools), ...(undo ? { compensate: undo } : {}), needs, position }
}

/** Whether a task runs code in the sandbox: its own, or that of a registered tool, whose name has no server before it. */
export function runsCode(kind: TaskDefinition['kind'], tool: unknown): boolean {
  return kind === 'code' || (kind === 'tool' && !String(tool).includes('.'))
}

function resolved({ tool, version }: Pick<TaskDefinition, 'tool' | 'version'>, tools: ToolLookup | undefined) {
  const found = tool === undefined ? undefined : tools?.(tool, version)
  return found ? { tool_version: found.version } : {}
}

/** The spec of one item of a fan-out: bound already, waiting for nothing, undone by nobody. */
export function itemSpec(parent: TaskSpec, index: number): TaskSpec {
  const { when: _when, for_each: _forEach, compensate: _compensate, ...rest } = parent
  return { ...rest, depends_on: [], needs: { outputs: [], looks_at: [], goal: false, plan: false }, position: index }
}
