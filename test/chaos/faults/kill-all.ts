import { kill, sandboxPids, serverProcesses } from '../processes.ts'
import type { Fault } from '../registry.ts'

/** kill -9 of every platform and sandbox process at once. */
export default {
  kind: 'kill',
  modes: ['embedded', 'distributed'],
  async strike(subject) {
    const pids = [...serverProcesses(subject).map(({ pid }) => pid), ...sandboxPids(subject)]
    for (const pid of pids) kill(pid)
    return `${pids.length} processes`
  },
} satisfies Fault
