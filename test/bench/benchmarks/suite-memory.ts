import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { startRedis } from '../../../shared/testing/redis.ts'
import { type UnderTest, underTest } from '../../e2e/under-test.ts'
import { benchDatabase } from '../bench-database.ts'
import type { Benchmark, BenchmarkContext, Measurement } from '../benchmark.ts'

const SETTLE_MS = 5_000

/** What a running suite holds in memory, supervisor and sandbox workers included: shared pages counted once (PSS). */
const suiteMemory: Benchmark = {
  async run(context): Promise<Measurement[]> {
    const embedded = await held(context, {})
    const { emptyDatabase } = await benchDatabase(context, 'postgres')
    const redis = await startRedis({ own: true })
    context.defer(() => redis.stop())
    const distributed = await held(context, { DATABASE_URL: await emptyDatabase(), REDIS_URL: redis.url })
    const row = { unit: 'MB', better: 'lower' } as const
    return [
      { job: 'suite memory, embedded', value: embedded.mb, ...row, target: 600, note: embedded.note },
      { job: 'suite memory, distributed', value: distributed.mb, ...row, target: 1_000, note: distributed.note },
    ]
  },
}

export default suiteMemory

async function held(context: BenchmarkContext, settings: Record<string, string>) {
  const platform = await underTest(settings)
  context.defer(() => platform.dispose())
  context.log(`starting a platform${settings['DATABASE_URL'] === undefined ? '' : ' on PostgreSQL and Redis'}`)
  const { code, stderr } = await platform.cli('up')
  if (code !== 0) throw new Error(`the platform does not start: ${stderr}`)
  await everyServerOnce(platform)
  await sleep(SETTLE_MS)
  const processes = platform.processes()
  const mb = processes.map(proportionalMb)
  await platform.cli('down')
  const sum = mb.reduce((a, b) => a + b, 0)
  return { mb: sum, note: `${processes.length} processes` }
}

/** A suite that nobody has called yet holds less than one in use. */
async function everyServerOnce(platform: UnderTest): Promise<void> {
  const calls: [string, string, object][] = [
    ['data', 'list_records', { kind: 'goal' }],
    ['planning', 'list_goals', {}],
    ['runtime', 'list_runs', {}],
    ['tool-execution', 'run_code', { code: 'return 1' }],
    ['service-hub', 'search_tools', { query: 'plan' }],
  ]
  for (const [server, tool, args] of calls) {
    const { code, stderr } = await platform.cli('call', server, tool, JSON.stringify(args), '--json')
    if (code !== 0) throw new Error(`${server}.${tool} failed: ${stderr}`)
  }
}

function proportionalMb(pid: number): number {
  const found = /^Pss:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))
  return Number(found?.[1] ?? Number.NaN) / 1_024
}
