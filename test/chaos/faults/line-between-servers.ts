import { harmLine } from '../lines.ts'
import type { Fault } from '../registry.ts'

/** The line by which the other servers reach one of them is slow, silent or cut. */
export default {
  kind: 'other',
  modes: ['distributed'],
  async strike({ services }, random) {
    const [name, line] = random.pick([...(services?.between ?? [])])
    return `${name}: ${await harmLine(line, random)}`
  },
} satisfies Fault
