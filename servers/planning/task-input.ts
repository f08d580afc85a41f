import { MAX_TASKS } from '@story-portal/shared/engine'
import { z } from 'zod'
import { Json } from './schema.ts'

/**
 * Open on purpose: the engine's schema is the judge, which answers with the path of every fault at once. Published whole it
 * would fill a quarter of the list of definitions that every client loads.
 */
const list = z.array(z.unknown().meta({ type: 'object' })).meta({ maxItems: MAX_TASKS })

export const Tasks = list.describe(
  'key; kind code|tool|assistant|approval; depends_on [keys]; input with {{tasks.<key>.output.<path>}}, {{plan.input}}, {{item}}; ' +
    'code; tool or server.tool, version; instructions; prompt; capabilities; when (tasks.a.output.n>3); for_each; ' +
    'retry {max_attempts}; timeout_ms; continue_on_failure; compensate {tool, input}|tool; permissions; limits',
)

/** The same, where create_plan has already explained it. */
export const MoreTasks = list.describe('As in create_plan')
export const PlanInput = Json.describe('{{plan.input}}')
export const MaxParallel = z.int().max(1000).describe('Tasks')
