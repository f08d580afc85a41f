import { setTimeout as sleep } from 'node:timers/promises'
import type { FaultProxy } from '../../shared/testing/fault-proxy.ts'
import type { Random } from './random.ts'

type Harm = (line: FaultProxy, random: Random) => string

/** What can be done to a line of TCP, each until `heal`. */
const HARMS: readonly Harm[] = [
  (line, random) => {
    const ms = random.between(20, 250)
    line.delay(ms)
    return `${ms} ms later`
  },
  (line, random) => {
    const rate = random.between(20, 200) * 1_000
    line.throttle(rate)
    return `${rate} bytes/s`
  },
  (line) => {
    line.blackhole()
    return 'nothing passes'
  },
  (line) => {
    line.refuse()
    return 'refused'
  },
  (line) => {
    line.loseNextAnswer()
    return 'an answer lost'
  },
  (line) => {
    line.cut()
    return 'cut'
  },
]

/** Harms one line in one way for one to eight seconds, then lets everything pass again. */
export async function harmLine(line: FaultProxy, random: Random): Promise<string> {
  const what = random.pick(HARMS)(line, random)
  const ms = random.between(1_000, 8_000)
  try {
    await sleep(ms)
  } finally {
    line.heal()
  }
  return `${what}, ${ms} ms`
}
