import { setTimeout as sleep } from 'node:timers/promises'
import { createSandbox, type Sandbox } from '../../../servers/tool-execution/sandbox/sandbox.ts'
import type { Benchmark, Measurement } from '../benchmark.ts'
import { inTurn, median, quantile } from '../median.ts'

const WALL_MS = 300
const RUNS = 60

/** Programs that no limit but the clock ends, the last ones in native code that can not be interrupted. */
const HOSTILE = [
  'while (true) {}',
  'const spin = () => Promise.resolve().then(spin); await spin()',
  'await new Promise(() => {})',
  'throw { get message() { while (true) {} } }',
  '/(a+)+$/.test("a".repeat(40) + "!")',
  'let x = 3n; while (true) x = x ** 2n',
  '(1n << (1n << 29n)).toString()',
]
/** As much CPU as a hostile run has until its end, and then a result. */
const WELL_BEHAVED = `const until = Date.now() + ${WALL_MS}; while (Date.now() < until) {} return 1`

/** How long after its limit a run is over, and what a neighbour feels of hostile runs against the same run beside equal well-behaved ones. */
const neighbours: Benchmark = {
  async run({ rounds, defer }): Promise<Measurement[]> {
    const pool = createSandbox({ workers: 3, log: { warn: () => {}, debug: () => {} } })
    defer(() => pool.close())
    await pool.run({ code: 'return 1' })
    const over: number[] = []
    for (let round = 0; round < rounds; round++) for (const code of HOSTILE) over.push(await overTime(pool, code))
    const all = { hostile: [] as number[], quiet: [] as number[] }
    const beside = (side: keyof typeof all, programs: readonly string[]) => async () => {
      const times = await neighbourTimes(pool, programs)
      all[side].push(...times)
      return median(times)
    }
    await inTurn(rounds, { hostile: beside('hostile', HOSTILE), quiet: beside('quiet', [WELL_BEHAVED]) })
    const row = { unit: 'ms', better: 'lower' } as const
    const peer = { name: 'beside well-behaved runs', value: quantile(all.quiet, 0.99) }
    return [
      { job: 'hostile run, time over its limit, median', value: median(over), ...row, target: 250 },
      {
        job: 'hostile run, time over its limit, longest',
        value: Math.max(...over),
        ...row,
        target: 250,
        note: `${over.length} runs`,
      },
      { job: 'sandbox run beside hostile runs, p99', value: quantile(all.hostile, 0.99), ...row, peer },
    ]
  },
}

export default neighbours

async function overTime(pool: Sandbox, code: string): Promise<number> {
  const start = performance.now()
  const run = await pool.run({ code, limits: { wall_ms: WALL_MS, cpu_ms: 60_000 } })
  if (run.ok) throw new Error('a hostile program ended by itself')
  return Math.max(0, performance.now() - start - WALL_MS)
}

/** Of small runs of somebody, while somebody else keeps one place of the pool busy. */
async function neighbourTimes(pool: Sandbox, programs: readonly string[]): Promise<number[]> {
  let busy = true
  const load = async () => {
    for (let i = 0; busy; i++)
      await pool.run({ code: programs[i % programs.length] ?? '', group: 'load', limits: { wall_ms: WALL_MS + 50 } })
  }
  const loading = load()
  await sleep(100)
  const times: number[] = []
  for (let i = 0; i < RUNS; i++) {
    const start = performance.now()
    await pool.run({ code: 'return input.a + 1', input: { a: 1 }, group: 'neighbour' })
    times.push(performance.now() - start)
    await sleep(20)
  }
  busy = false
  await loading
  return times
}
