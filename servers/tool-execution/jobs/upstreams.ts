import { defineJob } from '@story-portal/shared/mcp'
import { upstreamsOf } from '../upstreams/pool.ts'

/** Ends the processes and connections of upstreams with the server; each opens at its first call. */
export default defineJob({
  name: 'upstreams',
  async start(host) {
    return { stop: () => upstreamsOf(host).close() }
  },
})
