import { kill, sandboxPids } from '../processes.ts'
import type { Fault } from '../registry.ts'

/** kill -9 of a process that runs sandboxed code, or of all of them. */
export default {
  kind: 'kill',
  modes: ['embedded', 'distributed'],
  async strike(subject, random) {
    const pids = sandboxPids(subject)
    const victims = random.next() < 0.5 || pids.length === 0 ? pids : [random.pick(pids)]
    for (const pid of victims) kill(pid)
    return `${victims.length} of ${pids.length}`
  },
} satisfies Fault
