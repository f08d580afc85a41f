import { z } from 'zod'

/**
 * What `tools/list` tells about a task. The engine's schema is the judge (it answers with the path of every fault at once);
 * published whole it would fill a quarter of the list that every client loads.
 */
const TaskInput = z.record(z.string(), z.unknown()).meta({
  properties: {
    key: { type: 'string' },
    kind: { type: 'string', enum: ['code', 'tool', 'assistant', 'model', 'agent', 'approval'] },
    depends_on: { type: 'array', items: { type: 'string' } },
    input: { description: 'Values, or {{tasks.<key>.output.<path>}}, {{plan.input.<path>}}, {{item}}' },
    code: { type: 'string' },
    tool: { type: 'string', description: 'Registered tool, or server.tool' },
    when: { type: 'string', description: 'tasks.a.output.n > 3 and plan.input.full' },
  },
  required: ['key', 'kind'],
})

export const Tasks = z
  .array(TaskInput)
  .describe(
    'Also per task: name, instructions and capabilities (assistant), version, language, for_each (a list: one task per item), ' +
      'retry {max_attempts, backoff_ms, factor}, timeout_ms, continue_on_failure, compensate {tool or code, input}, permissions, limits',
  )

/** The same, where create_plan has already explained it. */
export const MoreTasks = z.array(z.record(z.string(), z.unknown())).describe('Tasks as in create_plan')
export const PlanInput = z.unknown().describe('Any JSON; {{plan.input...}} in tasks')
export const MaxParallel = z.int().min(1).max(1000).describe('Most tasks at one time')
