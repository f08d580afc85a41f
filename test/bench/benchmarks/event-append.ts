import { recordEvent } from '@story-portal/shared/events'
import { benchDatabase } from '../bench-database.ts'
import type { Benchmark, BenchmarkContext, Measurement } from '../benchmark.ts'
import { type EventStorePeer, loadPeer } from '../load-peer.ts'
import { inTurn } from '../median.ts'

const WRITERS = 16
const BATCH = 100
const ROUND_MS = 1_500
const DATA = { item: 'chair', price: 120, quantity: 2, note: 'delivered to the back door' }

/** Appended per second by 16 writers, each to a stream of its own, one event or 100 at a time; beside Emmett on the same server. */
const eventAppend: Benchmark = {
  async run(context) {
    const postgres = await onPostgres(context)
    const embedded = await onEmbedded(context)
    return [...postgres, ...embedded]
  },
}

export default eventAppend

async function onPostgres(context: BenchmarkContext): Promise<Measurement[]> {
  const ours = await benchDatabase(context, 'postgres', { STORY_PORTAL_DB_POOL_MAX: String(WRITERS) })
  const peer = await loadPeer<EventStorePeer>('emmett')
  const store = await peer.open(await ours.emptyDatabase())
  context.defer(() => store.close())
  const event = { type: 'ItemAdded', data: DATA }
  await store.append('warm', [event])
  const emmett = (size: number) =>
    perSecond(size, (writer, round) =>
      store.append(
        `stream-${size}-${writer}-${round}`,
        Array.from({ length: size }, () => event),
      ),
    )
  const own = (size: number) => perSecond(size, (writer, round) => append(ours, size, `s/${size}-${writer}-${round}`))
  const one = await inTurn(context.rounds, { own: () => own(1), emmett: () => emmett(1) })
  const batch = await inTurn(context.rounds, { own: () => own(BATCH), emmett: () => emmett(BATCH) })
  return [
    row('PostgreSQL, one at a time', one.own, 4_000, one.emmett),
    row(`PostgreSQL, ${BATCH} at a time`, batch.own, 50_000, batch.emmett),
  ]
}

async function onEmbedded(context: BenchmarkContext): Promise<Measurement[]> {
  const ours = await benchDatabase(context, 'embedded')
  const own = (size: number) => perSecond(size, (writer, round) => append(ours, size, `s/${size}-${writer}-${round}`))
  const one = await inTurn(context.rounds, { own: () => own(1) })
  const batch = await inTurn(context.rounds, { own: () => own(BATCH) })
  return [row('embedded, one at a time', one.own), row(`embedded, ${BATCH} at a time`, batch.own)]
}

type Ours = Awaited<ReturnType<typeof benchDatabase>>

async function append({ db, scope }: Ours, size: number, stream: string): Promise<void> {
  const events = Array.from({ length: size }, () => ({ stream, type: 'item.added', data: DATA }))
  await db.tx(scope, async (tx) => {
    for (const event of events) recordEvent(tx, event)
  })
}

let rounds = 0

async function perSecond(size: number, write: (writer: number, round: number) => Promise<unknown>): Promise<number> {
  const round = ++rounds
  const start = performance.now()
  let done = 0
  await Promise.all(
    Array.from({ length: WRITERS }, async (_, writer) => {
      while (performance.now() - start < ROUND_MS) {
        await write(writer, round)
        done += size
      }
    }),
  )
  return done / ((performance.now() - start) / 1_000)
}

function row(what: string, value: number, target?: number, emmett?: number): Measurement {
  return {
    job: `event append, ${WRITERS} writers, ${what}`,
    value,
    unit: 'events/s',
    better: 'higher',
    target,
    peer: emmett === undefined ? undefined : { name: 'Emmett', value: emmett },
  }
}
