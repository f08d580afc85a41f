import { defineJob } from '@story-portal/shared/mcp'
import { fetchOf } from '../fetch/fetch-of-host.ts'
import { upstreamsOf } from '../upstreams/pool.ts'

/** Ends the processes and connections of upstreams with the server; each opens at its first call. */
export default defineJob({
  name: 'upstreams',
  async start(host) {
    return {
      async stop() {
        await upstreamsOf(host).close()
        await fetchOf(host).close()
      },
    }
  },
})
