import { sql } from 'kysely'
import { expect, test } from 'vitest'
import { activity } from '../data/index.ts'
import { testDatabase, testTenant } from '../testing/index.ts'
import { appendEvents, canonicalJson, catchUpProjection, follow, rebuildProjection, recordEvent } from './index.ts'

// 50 writers of one stream and 20 across streams with random commit delay; EVENT_VOLUME=100000 for the long run.
const ONE_STREAM = 50
const ACROSS = 20
const BATCH = 25

test('at volume: no gap, nothing missed or repeated, a rebuilt projection equals the live one byte for byte', async () => {
  const db = await testDatabase({ STORY_PORTAL_DB_POOL_MAX: '75' })
  const scope = testTenant()
  const volume = Number(process.env['EVENT_VOLUME'] ?? (db.mode === 'embedded' ? 3_500 : 17_500))
  const rounds = Math.ceil(volume / ((ONE_STREAM + ACROSS) * BATCH))
  const total = rounds * (ONE_STREAM + ACROSS) * BATCH

  const last = new Map<string, number>()
  let seen = 0
  let position = ''
  const stop = new AbortController()
  const following = follow(db, {
    name: 'test.volume',
    signal: stop.signal,
    async onBatch(events) {
      for (const event of events) {
        expect(event.position > position).toBe(true)
        expect(event.version).toBe((last.get(event.stream) ?? 0) + 1)
        position = event.position
        last.set(event.stream, event.version)
      }
      seen += events.length
      if (seen >= total) stop.abort()
    },
  })

  const write = async (writer: number) => {
    for (let round = 0; round < rounds; round++) {
      await db.tx(scope, async (tx) => {
        const stream = (i: number) => (writer < ONE_STREAM ? 'one' : `across/${(writer + i) % 12}`)
        for (let i = 0; i < BATCH - 1; i++)
          recordEvent(tx, { stream: stream(i), type: `note.n${i % 3}`, data: { writer, round, i } })
        await appendEvents(tx, [{ stream: stream(BATCH - 1), type: 'note.last', data: null }])
        if (writer >= ONE_STREAM) await sql`select pg_sleep(${((writer * 7 + round) % 5) / 200}::float8)`.execute(tx)
      })
    }
  }
  await Promise.all(Array.from({ length: ONE_STREAM + ACROSS }, (_, writer) => write(writer)))
  await following
  expect(seen).toBe(total)
  expect(last.get('one')).toBe(rounds * ONE_STREAM * BATCH)

  const table = () =>
    db.tx(scope, async (tx) =>
      canonicalJson((await sql`select * from core.activity order by day, type`.execute(tx)).rows),
    )
  await catchUpProjection(db, activity)
  const live = await table()
  await rebuildProjection((fn) => db.tx(scope, fn), activity)
  expect(await table()).toBe(live)
  expect(live).toContain('note.last')
  await db.close()
}, 600_000)
