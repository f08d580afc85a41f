import { extendLease } from '@story-portal/shared/engine'
import { defineTool } from '@story-portal/shared/mcp'
import { WORK_LEASE_MS } from '../claim.ts'
import { LeaseMs, LeaseToken, TaskId } from '../schema.ts'

export default defineTool({
  name: 'extend_task_lease',
  description: 'Keeps a claimed task yours longer. To end it, call complete_task.',
  effect: 'update',
  input: { task_id: TaskId, lease_token: LeaseToken, lease_ms: LeaseMs.optional() },
  output: {},
  async run({ lease_ms = WORK_LEASE_MS, ...lease }, { tx }) {
    return extendLease(tx, { ...lease, lease_ms })
  },
})
