import { setTimeout as sleep } from 'node:timers/promises'
import type { Fault } from '../registry.ts'

/** Redis killed and started again, empty, after up to ten seconds. */
export default {
  kind: 'other',
  modes: ['distributed'],
  async strike({ services }, random) {
    const down_ms = random.pick([0, random.between(0, 10_000)])
    await services?.redis.halt?.()
    await sleep(down_ms)
    await services?.redis.resume?.()
    return `down ${down_ms} ms`
  },
} satisfies Fault
