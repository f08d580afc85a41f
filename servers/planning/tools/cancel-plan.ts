import { cancelPlan } from '@story-portal/shared/engine'
import { defineTool } from '@story-portal/shared/mcp'
import { given } from '../given.ts'
import { Plan, PlanId, Reason } from '../schema.ts'
import { planForClient } from '../view.ts'

export default defineTool({
  name: 'cancel_plan',
  description: 'Ends a plan for good and undoes what declares how. To stop it for a while, call pause_plan.',
  effect: 'delete',
  input: { plan_id: PlanId, reason: Reason.optional() },
  output: { plan: Plan },
  async run({ plan_id, reason }, { tx }) {
    return { plan: planForClient(await cancelPlan(tx, plan_id, given({ reason }))) }
  },
})
