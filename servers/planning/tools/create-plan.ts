import { createPlan } from '@story-portal/shared/engine'
import { defineTool } from '@story-portal/shared/mcp'
import { z } from 'zod'
import { refuseUnrunnable } from '../check.ts'
import { given } from '../given.ts'
import { openGoal } from '../goal.ts'
import { planFrom, STRATEGIES } from '../plan-source.ts'
import { GoalId, Plan, Task } from '../schema.ts'
import { MaxParallel, PlanInput, Tasks } from '../task-input.ts'
import { planForClient, tasksForClient } from '../view.ts'

export default defineTool({
  name: 'create_plan',
  description:
    'Creates a checked plan for a goal from your own tasks or a template; nothing runs before run_plan. To only check one, call validate_plan.',
  effect: 'create',
  input: {
    goal_id: GoalId,
    tasks: Tasks.optional(),
    input: PlanInput.optional(),
    name: z.string().min(1).max(500).optional(),
    max_parallel: MaxParallel.optional(),
    strategy: z
      .enum(STRATEGIES)
      .default('auto')
      .describe('auto: steps when tasks are given, else template, else model'),
    template: z.string().max(100).describe('Any unknown name answers with the list').optional(),
    parameters: z.record(z.string(), z.unknown()).describe('Of the template').optional(),
  },
  output: { plan: Plan, tasks: z.array(Task) },
  async run({ goal_id, name, ...source }, ctx) {
    const { strategy, definition } = await planFrom(source)
    const goal = await openGoal(ctx.tx, goal_id)
    const tools = await refuseUnrunnable(ctx, definition)
    const { plan, tasks } = await createPlan(ctx.tx, {
      ...{ goal_id: goal.id, strategy, definition, tools, caller: ctx.caller },
      ...given({ name }),
    })
    return { plan: planForClient(plan), ...tasksForClient(tasks) }
  },
})
