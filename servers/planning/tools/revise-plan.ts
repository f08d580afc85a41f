import { revisePlan } from '@story-portal/shared/engine'
import { defineTool } from '@story-portal/shared/mcp'
import { preparePlan, refuseUnrunnable } from '../check.ts'
import { given } from '../given.ts'
import { Plan, PlanId, Reason } from '../schema.ts'
import { MoreTasks, PlanInput } from '../task-input.ts'
import { planForClient, tasksForClient, told } from '../view.ts'

export default defineTool({
  name: 'revise_plan',
  description: 'Makes a new plan version; finished unchanged tasks stay done. To only stop, call pause_plan.',
  effect: 'update',
  idempotent: false,
  input: {
    plan_id: PlanId,
    tasks: MoreTasks,
    input: PlanInput.optional(),
    reason: Reason.optional(),
  },
  output: { plan: Plan },
  prepare: (source, ctx) => preparePlan(ctx, { strategy: 'steps', ...source }),
  async run({ plan_id, reason }, ctx, prepared) {
    const { definition } = prepared
    const { tools, warnings } = await refuseUnrunnable(ctx, prepared)
    const revision = { definition, tools, caller: ctx.caller, ...given({ reason }) }
    const { plan, tasks, carried_over } = await revisePlan(ctx.tx, plan_id, revision)
    return { plan: planForClient(plan), ...tasksForClient(tasks), carried_over, ...told(warnings) }
  },
})
