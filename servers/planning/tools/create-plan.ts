import { createPlan } from '@story-portal/shared/engine'
import { defineTool } from '@story-portal/shared/mcp'
import { z } from 'zod'
import { preparePlan, refuseUnrunnable } from '../check.ts'
import { given } from '../given.ts'
import { openGoal } from '../goal.ts'
import { STRATEGIES } from '../plan-source.ts'
import { GoalId, Plan } from '../schema.ts'
import { MaxParallel, PlanInput, Tasks } from '../task-input.ts'
import { planForClient, tasksForClient, told } from '../view.ts'

export default defineTool({
  name: 'create_plan',
  description: 'Creates a checked plan from tasks or a template. To start it, call run_plan.',
  effect: 'create',
  input: {
    goal_id: GoalId,
    tasks: Tasks.optional(),
    input: PlanInput.optional(),
    name: z.string().max(500).describe('Name').optional(),
    max_parallel: MaxParallel.optional(),
    strategy: z.enum(STRATEGIES).default('auto'),
    template: z.string().max(100).describe('? lists them').optional(),
  },
  output: { plan: Plan },
  prepare: (source, ctx) => preparePlan(ctx, source),
  async run({ goal_id, name }, ctx, prepared) {
    const { strategy, definition } = prepared
    const goal = await openGoal(ctx.tx, goal_id)
    const { tools, warnings } = await refuseUnrunnable(ctx, prepared)
    const { plan, tasks } = await createPlan(ctx.tx, {
      ...{ goal_id: goal.id, strategy, definition, tools, caller: ctx.caller },
      ...given({ name }),
    })
    return { plan: planForClient(plan), ...tasksForClient(tasks), ...told(warnings) }
  },
})
