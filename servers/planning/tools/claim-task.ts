import { claimTasks, planPulse } from '@story-portal/shared/engine'
import { defineTool } from '@story-portal/shared/mcp'
import { z } from 'zod'
import { claimForClient, nothingReady, WORK_LEASE_MS } from '../claim.ts'
import { given } from '../given.ts'
import { LeaseMs, PlanId } from '../schema.ts'

export default defineTool({
  name: 'claim_task',
  description: 'Takes the next ready assistant task, or null and why. To end it, call complete_task or fail_task.',
  effect: 'update',
  idempotent: false,
  input: {
    plan_id: PlanId.optional(),
    capabilities: z.array(z.string()).max(50).describe('Yours').optional(),
    lease_ms: LeaseMs.optional(),
  },
  output: {},
  async run({ plan_id, capabilities, lease_ms = WORK_LEASE_MS }, { tx, caller }) {
    const plan = plan_id === undefined ? undefined : { id: plan_id, ...(await planPulse(tx, plan_id)) }
    const [claimed] = await claimTasks(tx, {
      ...{ kinds: ['assistant'], limit: 1, worker: caller.subject, lease_ms },
      ...given({ plan_id, capabilities }),
    })
    return claimed ? claimForClient(claimed) : nothingReady(tx, plan)
  },
})
