import { harmLine } from '../lines.ts'
import type { Fault } from '../registry.ts'

/** The line between the servers and Redis is slow, silent or cut. */
export default {
  kind: 'other',
  modes: ['distributed'],
  async strike({ services }, random) {
    if (services === undefined) throw new Error('there are no lines')
    return harmLine(services.lines.redis, random)
  },
} satisfies Fault
