import { pausePlan } from '@story-portal/shared/engine'
import { defineTool } from '@story-portal/shared/mcp'
import { given } from '../given.ts'
import { Plan, PlanId, Reason } from '../schema.ts'
import { planForClient } from '../view.ts'

export default defineTool({
  name: 'pause_plan',
  description:
    'Stops a plan from starting more tasks; those that run may finish. run_plan resumes it. To give the plan up, call cancel_plan.',
  effect: 'update',
  input: { plan_id: PlanId, reason: Reason.optional() },
  output: { plan: Plan },
  async run({ plan_id, reason }, { tx }) {
    return { plan: planForClient(await pausePlan(tx, plan_id, given({ reason }))) }
  },
})
