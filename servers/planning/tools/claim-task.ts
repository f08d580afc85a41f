import { claimTasks, planView } from '@story-portal/shared/engine'
import { defineTool } from '@story-portal/shared/mcp'
import { z } from 'zod'
import { claimForClient, nothingReady, WORK_LEASE_MS } from '../claim.ts'
import { given } from '../given.ts'
import { LeaseMs, PlanId, Task } from '../schema.ts'

export default defineTool({
  name: 'claim_task',
  description:
    'Takes the next ready assistant task under a lease, or returns task null with a hint. End it with complete_task or fail_task; extend_task_lease gives more time.',
  effect: 'update',
  idempotent: false,
  input: {
    plan_id: PlanId.optional(),
    capabilities: z
      .array(z.string().min(1).max(100))
      .max(50)
      .describe('What you can do; a task may ask for some')
      .optional(),
    lease_ms: LeaseMs.default(WORK_LEASE_MS),
  },
  output: {
    task: Task.nullable(),
    lease_token: z.string().nullable(),
    lease_expires_at: z.string().nullable(),
    hint: z.string(),
  },
  async run({ plan_id, capabilities, lease_ms }, { tx, caller }) {
    const plan = plan_id === undefined ? undefined : await planView(tx, plan_id)
    const [claimed] = await claimTasks(tx, {
      ...{ kinds: ['assistant'], limit: 1, worker: caller.subject, lease_ms },
      ...given({ plan_id, capabilities }),
    })
    return claimed ? claimForClient(claimed) : nothingReady(tx, plan)
  },
})
