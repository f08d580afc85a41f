import { setTimeout as sleep } from 'node:timers/promises'
import { projectionNamed, projectionNames, runProjection } from '@story-portal/shared/events'
import { defineJob } from '@story-portal/shared/mcp'
import '@story-portal/shared/data'

/** Keeps every projection level with the log. A failing one waits longer each time and does not stop the others. */
export default defineJob({
  name: 'projections',
  async start(host) {
    const stopping = new AbortController()
    const { signal } = stopping
    const running = projectionNames().map(async (name) => {
      for (let failures = 0; !signal.aborted; failures++) {
        const failure = await runProjection(host.db, projectionNamed(name), signal).then(
          () => undefined,
          (error: unknown) => ({ error }),
        )
        if (!failure || signal.aborted) return
        host.log.error({ err: failure.error, projection: name }, 'a projection failed and will be run again')
        await sleep(Math.min(1000 * 2 ** failures, 60_000), undefined, { signal }).catch(() => {})
      }
    })
    return {
      async stop() {
        stopping.abort()
        await Promise.all(running)
      },
    }
  },
})
