import { planEstimates, planView } from '@story-portal/shared/engine'
import { defineTool } from '@story-portal/shared/mcp'
import { z } from 'zod'
import { given } from '../given.ts'
import { Cursor, Mode, Plan, PlanId, StatusOfTask } from '../schema.ts'
import { pageOfTasks, planForClient } from '../view.ts'
import { look, waitForPlan } from '../wait.ts'

export default defineTool({
  name: 'get_plan',
  description: 'Returns progress and tasks of a plan. For its timeline, call get_run.',
  effect: 'read',
  transaction: false,
  input: {
    plan_id: PlanId,
    keys: z.array(z.string()).max(50).describe('Only these, whole').optional(),
    status: StatusOfTask.optional(),
    mode: Mode.default('background'),
    cursor: Cursor.optional(),
  },
  output: { plan: Plan },
  async run({ plan_id, keys, status, mode, cursor }, ctx) {
    const { waiting, hint } = mode === 'wait' ? await waitForPlan(ctx, plan_id) : await look(ctx, plan_id)
    return ctx.db.read(async (tx) => {
      const plan = await planView(tx, plan_id)
      const page = await pageOfTasks(tx, { plan_id, ...given({ keys, status, cursor }) })
      return { plan: { ...planForClient(plan), estimates: await planEstimates(tx, plan) }, ...page, waiting, hint }
    })
  },
})
