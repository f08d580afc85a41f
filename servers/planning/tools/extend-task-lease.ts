import { extendLease } from '@story-portal/shared/engine'
import { defineTool } from '@story-portal/shared/mcp'
import { z } from 'zod'
import { WORK_LEASE_MS } from '../claim.ts'
import { LeaseMs, LeaseToken, TaskId } from '../schema.ts'

export default defineTool({
  name: 'extend_task_lease',
  description: 'Keeps a claimed task yours for longer. When you are done, call complete_task or fail_task instead.',
  effect: 'update',
  input: { task_id: TaskId, lease_token: LeaseToken, lease_ms: LeaseMs.default(WORK_LEASE_MS) },
  output: { lease_expires_at: z.string() },
  async run(args, { tx }) {
    return extendLease(tx, args)
  },
})
