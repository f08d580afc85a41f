import { setTimeout as sleep } from 'node:timers/promises'
import { withRedis } from '../redis-admin.ts'
import type { Fault } from '../registry.ts'

const STALL_MS = 10_000

/** Redis takes connections and answers nothing for ten seconds (SIGSTOP). */
export default {
  kind: 'other',
  modes: ['distributed'],
  async strike(subject) {
    const pid = await withRedis(subject, async (redis) =>
      Number(/process_id:(\d+)/.exec(await redis.info('server'))?.[1]),
    )
    process.kill(pid, 'SIGSTOP')
    try {
      await sleep(STALL_MS)
    } finally {
      process.kill(pid, 'SIGCONT')
    }
    return `${STALL_MS} ms`
  },
} satisfies Fault
