import { setTimeout as sleep } from 'node:timers/promises'
import { kill, serverProcesses } from '../processes.ts'
import type { Fault } from '../registry.ts'

/** One platform process stands still (SIGSTOP) for longer than its leases, then goes on as if nothing had been. */
export default {
  kind: 'other',
  modes: ['embedded', 'distributed'],
  async strike(subject, random) {
    const { name, pid } = random.pick(serverProcesses(subject))
    const ms = random.between(2_500, 8_000)
    kill(pid, 'SIGSTOP')
    try {
      await sleep(ms)
    } finally {
      kill(pid, 'SIGCONT')
    }
    return `${name}, ${ms} ms`
  },
} satisfies Fault
