import { planView, runPlan } from '@story-portal/shared/engine'
import { defineTool } from '@story-portal/shared/mcp'
import { Mode, Plan, PlanId } from '../schema.ts'
import { pageOfTasks, planForClient } from '../view.ts'
import { look, waitForPlan } from '../wait.ts'

export default defineTool({
  name: 'run_plan',
  description: 'Starts or resumes a plan and waits until it ends or needs you. To stop it, call pause_plan.',
  effect: 'execute',
  transaction: false,
  // A plan that runs is joined and one that ended is shown, so repeating the call starts nothing twice.
  idempotent: true,
  input: { plan_id: PlanId, mode: Mode.default('wait') },
  output: { plan: Plan },
  async run({ plan_id, mode }, ctx) {
    const { run } = await ctx.db.tx((tx) => runPlan(tx, plan_id))
    const { waiting, hint } = mode === 'wait' ? await waitForPlan(ctx, plan_id) : await look(ctx, plan_id)
    return ctx.db.read(async (tx) => {
      const page = await pageOfTasks(tx, { plan_id })
      return { plan: planForClient(await planView(tx, plan_id)), ...page, run_id: run?.id ?? null, waiting, hint }
    })
  },
})
