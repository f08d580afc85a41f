import { defineJob } from '@story-portal/shared/mcp'
import { closeSandboxOf, sandboxOf } from '../sandbox-of-host.ts'

export default defineJob({
  name: 'sandbox-pool',
  async start(host) {
    sandboxOf(host)
    return { stop: () => closeSandboxOf(host) }
  },
})
