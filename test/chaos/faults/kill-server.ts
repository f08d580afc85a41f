import { kill, serverProcesses } from '../processes.ts'
import type { Fault } from '../registry.ts'

/** kill -9 of one platform process. */
export default {
  kind: 'kill',
  modes: ['embedded', 'distributed'],
  async strike(subject, random) {
    const victim = random.pick(serverProcesses(subject))
    kill(victim.pid)
    return victim.name
  },
} satisfies Fault
