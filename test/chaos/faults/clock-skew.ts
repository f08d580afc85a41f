import { writeFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { serverProcesses } from '../processes.ts'
import type { Fault } from '../registry.ts'

const MINUTE = 60_000

/** One process's clock jumps by minutes or an hour, either way, under its running work, and back after some seconds. */
export default {
  kind: 'other',
  // Embedded, the database lives in the same process and has the same clock: nobody is skewed against anybody.
  modes: ['distributed'],
  async strike(subject, random) {
    const { name } = random.pick(serverProcesses(subject))
    const minutes = random.pick([-60, -10, -5, 5, 60])
    writeFileSync(subject.clockFile, JSON.stringify({ [name]: minutes * MINUTE }))
    await sleep(random.between(4_000, 8_000))
    writeFileSync(subject.clockFile, '{}')
    // The clocks look five times a second.
    await sleep(400)
    return `${name} by ${minutes} min`
  },
} satisfies Fault
