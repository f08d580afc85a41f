import { executeCall } from '@story-portal/shared/engine'
import { type BenchDatabase, benchDatabase } from '../bench-database.ts'
import type { Benchmark, Measurement } from '../benchmark.ts'
import { type DurableCallPeer, loadPeer } from '../load-peer.ts'
import { inTurn, median } from '../median.ts'

const CALLS = 200

/** Intent, run, result and event of one call after the other; beside a DBOS workflow of one step on the same server. */
const exactlyOnceCall: Benchmark = {
  async run(context): Promise<Measurement[]> {
    const postgres = await benchDatabase(context, 'postgres')
    const embedded = await benchDatabase(context, 'embedded')
    const peer = await loadPeer<DurableCallPeer>('dbos')
    const dbos = await peer.open(await postgres.emptyDatabase())
    context.defer(() => dbos.close())
    const us = await inTurn(context.rounds, {
      postgres: () => microseconds(() => call(postgres)),
      dbos: () => microseconds(() => dbos.call(1)),
      embedded: () => microseconds(() => call(embedded)),
    })
    const row = { unit: 'us', better: 'lower', target: 1_000 } as const
    return [
      { job: 'exactly-once call, PostgreSQL', value: us.postgres, ...row, peer: { name: 'DBOS step', value: us.dbos } },
      { job: 'exactly-once call, embedded', value: us.embedded, ...row, note: 'one fsync per commit' },
    ]
  },
}

export default exactlyOnceCall

let calls = 0

async function call({ db, scope }: BenchDatabase): Promise<void> {
  const caller = {
    ...{ tenant_id: scope.tenant_id, subject: scope.subject, roles: [], scopes: [] },
    client: { surface: 'test', name: 'bench' } as const,
  }
  const { status } = await executeCall(db, {
    ...{ scope, caller, key: `bench/${++calls}`, kind: 'server_tool', tool: 'bench.add', arguments: { n: 1 } },
    effect: 'journaled',
    dispatch: async () => ({ output: 2 }),
  })
  if (status !== 'succeeded') throw new Error(`the call ended ${status}`)
}

async function microseconds(run: () => Promise<unknown>): Promise<number> {
  const times: number[] = []
  for (let i = 0; i < CALLS; i++) {
    const start = performance.now()
    await run()
    times.push((performance.now() - start) * 1_000)
  }
  return median(times)
}
