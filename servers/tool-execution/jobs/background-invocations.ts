import { leaseOwner, workCalls } from '@story-portal/shared/engine'
import { defineJob } from '@story-portal/shared/mcp'
import { dispatchFor } from '../dispatch.ts'

export default defineJob({
  name: 'background-invocations',
  async start(host) {
    const { engine, sandbox } = host.config
    const options = { owner: leaseOwner(host.boot_id), lease_ms: engine.leaseMs, concurrency: sandbox.workers }
    return await workCalls(host.db, host.jobs, options, async (_invocation, scope) => ({
      dispatch: dispatchFor(host, scope),
    }))
  },
})
