import type { PlanDefinitionInput } from '@story-portal/shared/engine'
import type { Fault } from '@story-portal/shared/errors'
import { planningErrors } from './errors.ts'
import { fillTemplate, planTemplates } from './template.ts'

export const STRATEGIES = ['auto', 'steps', 'template', 'model'] as const
type Strategy = (typeof STRATEGIES)[number]

/** What create_plan, validate_plan and revise_plan take a plan from. */
export interface PlanSource {
  strategy?: Strategy
  tasks?: unknown[] | undefined
  input?: unknown
  max_parallel?: number | undefined
  /** Its parameters are the plan's `input`. */
  template?: string | undefined
}

export interface SourcedPlan {
  strategy: 'steps' | 'template'
  definition: PlanDefinitionInput
}

/** The definition that a source stands for, and the strategy that made it; `auto` takes what was sent. */
export async function planFrom(source: PlanSource): Promise<SourcedPlan> {
  const strategy = source.strategy === undefined || source.strategy === 'auto' ? pick(source) : source.strategy
  const known = { templates: [...(await planTemplates()).keys()].join(', ') }
  if (strategy === 'model') throw planningErrors.modelUnavailable(known)
  if (strategy === 'template') return { strategy, definition: await fromTemplate(source) }
  if (source.tasks === undefined) throw planningErrors.noTasks(known)
  refuseField(source, strategy, 'template')
  const { tasks, input, max_parallel } = source
  const definition = {
    tasks,
    ...(input === undefined ? {} : { input }),
    ...(max_parallel === undefined ? {} : { max_parallel }),
  }
  // Unchecked on purpose: the engine reads it with its own schema and names every fault at once.
  return { strategy, definition: definition as unknown as PlanDefinitionInput }
}

const NOT_YET: Record<string, string> = {
  model: 'the model gateway',
  agent: 'the agent runtime',
}

/** Tasks of kinds that nothing here would ever run: found before the plan exists rather than left waiting for ever. */
export function missingKindFaults(definition: PlanDefinitionInput): Fault[] {
  const tasks: readonly unknown[] = definition.tasks
  return tasks.flatMap((task, i) => {
    const kind = (task as { kind?: unknown } | null)?.kind
    if (typeof kind !== 'string' || !Object.hasOwn(NOT_YET, kind)) return []
    const message = `${kind} tasks need ${NOT_YET[kind]}, which is not part of this installation`
    return [{ path: `tasks[${i}].kind`, message, hint: 'Use kind assistant or code.' }]
  })
}

function pick(source: PlanSource): Exclude<Strategy, 'auto'> {
  if (source.tasks !== undefined) return 'steps'
  return source.template === undefined ? 'model' : 'template'
}

function fromTemplate(source: PlanSource): Promise<PlanDefinitionInput> {
  refuseField(source, 'template', 'tasks')
  return fillTemplate(source.template ?? '(none)', source.input ?? {}, source.max_parallel)
}

function refuseField(source: PlanSource, strategy: Strategy, field: keyof PlanSource): void {
  if (source[field] === undefined) return
  const faults = [{ path: field, message: `does not go with strategy ${strategy}` }]
  throw planningErrors.conflictingPlanSource({ strategy, field }, { details: { faults } })
}
