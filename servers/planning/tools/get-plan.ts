import { planEstimates } from '@story-portal/shared/engine'
import { defineTool } from '@story-portal/shared/mcp'
import { z } from 'zod'
import { given } from '../given.ts'
import { Cursor, Limit, Mode, NextCursor, Plan, PlanId, Task, TaskStatus } from '../schema.ts'
import { pageOfTasks, planForClient } from '../view.ts'
import { look, waitForPlan } from '../wait.ts'

export default defineTool({
  name: 'get_plan',
  description:
    'Returns a plan with waves, critical path, estimates, progress and a page of its tasks; large outputs are cut unless keys names the task. For its run with timeline, call get_run on runtime.',
  effect: 'read',
  transaction: false,
  input: {
    plan_id: PlanId,
    keys: z
      .array(z.string().max(200))
      .min(1)
      .max(50)
      .describe('Only these tasks, whole, with input and spec')
      .optional(),
    status: z.array(TaskStatus).min(1).describe('Only tasks in these states').optional(),
    mode: Mode.default('background').describe('wait: answer when the plan has ended or needs an assistant'),
    limit: Limit,
    cursor: Cursor.optional(),
  },
  output: { plan: Plan, tasks: z.array(Task), next_cursor: NextCursor, waiting: z.string() },
  async run({ plan_id, keys, status, mode, limit, cursor }, ctx) {
    const { plan, waiting, hint } = mode === 'wait' ? await waitForPlan(ctx, plan_id) : await look(ctx, plan_id)
    return ctx.db.read(async (tx) => {
      const page = await pageOfTasks(tx, { plan_id, limit, ...given({ keys, status, cursor }) })
      return { plan: { ...planForClient(plan), estimates: await planEstimates(tx, plan) }, ...page, waiting, hint }
    })
  },
})
