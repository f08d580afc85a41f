import { pausePlan } from '@story-portal/shared/engine'
import { defineTool } from '@story-portal/shared/mcp'
import { Plan, PlanId } from '../schema.ts'
import { planForClient } from '../view.ts'

export default defineTool({
  name: 'pause_plan',
  description: 'Lets a plan start no more tasks; run_plan resumes it. To give it up, call cancel_plan.',
  effect: 'update',
  input: { plan_id: PlanId },
  output: { plan: Plan },
  async run({ plan_id }, { tx }) {
    return { plan: planForClient(await pausePlan(tx, plan_id)) }
  },
})
