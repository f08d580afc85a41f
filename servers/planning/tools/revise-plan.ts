import { revisePlan } from '@story-portal/shared/engine'
import { defineTool } from '@story-portal/shared/mcp'
import { z } from 'zod'
import { refuseUnrunnable } from '../check.ts'
import { given } from '../given.ts'
import { planFrom } from '../plan-source.ts'
import { Plan, PlanId, Reason, Task } from '../schema.ts'
import { MaxParallel, MoreTasks, PlanInput } from '../task-input.ts'
import { planForClient, tasksForClient } from '../view.ts'

export default defineTool({
  name: 'revise_plan',
  description:
    'Replaces a plan by a new version with these tasks; completed tasks that did not change keep their output. For a plan that only needs a pause, call pause_plan.',
  effect: 'update',
  idempotent: false,
  input: {
    plan_id: PlanId,
    tasks: MoreTasks,
    input: PlanInput.optional(),
    max_parallel: MaxParallel.optional(),
    reason: Reason.optional(),
  },
  output: { plan: Plan, tasks: z.array(Task), carried_over: z.array(z.string()) },
  async run({ plan_id, reason, ...source }, ctx) {
    const { definition } = await planFrom({ strategy: 'steps', ...source })
    const tools = await refuseUnrunnable(ctx, definition)
    const revision = { definition, tools, caller: ctx.caller, ...given({ reason }) }
    const { plan, tasks, carried_over } = await revisePlan(ctx.tx, plan_id, revision)
    return { plan: planForClient(plan), ...tasksForClient(tasks), carried_over }
  },
})
