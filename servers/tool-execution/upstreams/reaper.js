// Started with the first upstream process, in a session of its own. Its input ends when the platform's process ends, however
// that happens, kill -9 included; then it kills the process groups of every upstream that was still running.
import { createInterface } from 'node:readline'

const groups = new Set()
createInterface({ input: process.stdin })
  .on('line', (line) => {
    const pid = Number(line.slice(1))
    if (line[0] === '+') groups.add(pid)
    else groups.delete(pid)
  })
  .on('close', () => {
    for (const pid of groups) {
      try {
        process.kill(-pid, 'SIGKILL')
      } catch {
        // It has ended by itself.
      }
    }
    process.exit(0)
  })
