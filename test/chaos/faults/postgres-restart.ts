import { setTimeout as sleep } from 'node:timers/promises'
import type { Fault } from '../registry.ts'

/** PostgreSQL killed or stopped fast, down for up to five seconds. */
export default {
  kind: 'other',
  modes: ['distributed'],
  async strike({ services }, random) {
    const how = random.pick(['kill', 'fast'] as const)
    const down_ms = random.between(0, 5_000)
    await services?.postgres.halt?.(how)
    await sleep(down_ms)
    await services?.postgres.resume?.()
    return `${how}, down ${down_ms} ms`
  },
} satisfies Fault
