import { hash } from 'node:crypto'
import { defineTool } from '@story-portal/shared/mcp'
import { z } from 'zod'
import { WorkflowName } from '../schema.ts'
import { fillWorkflow, workflowNamed } from '../workflow.ts'

export default defineTool({
  name: 'run_workflow',
  description:
    'Starts a ready-made workflow and waits until it ends or needs you. The names are told by list_workflows.',
  effect: 'execute',
  transaction: false,
  openWorld: true,
  input: {
    name: WorkflowName,
    parameters: z.record(z.string(), z.unknown()).default({}).describe('As get_workflow shows them.'),
    mode: z.enum(['wait', 'background']).default('wait').describe('background: get_plan has the outcome.'),
  },
  output: { goal_id: z.string(), plan_id: z.string() },
  async run({ name, parameters, mode }, ctx) {
    const workflow = await workflowNamed(name)
    const { tasks, input } = fillWorkflow(workflow, parameters)
    const key = ctx.idempotency_key
    // Each step under a key of its own: repeated after a kill, it finds the goal and the plan it has made. A key may be as long as
    // keys can be, so its hash is what goes on.
    const keyed = (step: string) =>
      key === undefined ? {} : { idempotency_key: `workflow/${step}/${hash('sha256', key)}` }
    const made = await ctx.callByName('planning', 'create_goal', { title: workflow.title }, keyed('goal'))
    const goal_id = idOf(made['goal'])
    const planned = await ctx.callByName('planning', 'create_plan', { goal_id, name, tasks, input }, keyed('plan'))
    const plan_id = idOf(planned['plan'])
    const run = await ctx.callByName('planning', 'run_plan', { plan_id, mode }, { onProgress: ctx.progress })
    return { ...run, goal_id, plan_id }
  },
})

function idOf(record: unknown): string {
  return z.object({ id: z.string() }).parse(record).id
}
