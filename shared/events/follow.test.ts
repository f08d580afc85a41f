import fc from 'fast-check'
import { sql } from 'kysely'
import { afterAll, expect, test } from 'vitest'
import { createRecord } from '../data/index.ts'
import type { Db } from '../db/index.ts'
import { checkProperty, type TestDatabase, testDatabase, testTenant } from '../testing/index.ts'
import {
  appendEvents,
  follow,
  isSafe,
  listEvents,
  type Run,
  recordEvent,
  type StoredEvent,
  safePosition,
  takeMark,
} from './index.ts'

// Followers see the whole log, so this file has databases of its own: other tests' open transactions would hold it back.
const opened: TestDatabase[] = []
const database = async () => {
  const db = await testDatabase({ STORY_PORTAL_DB_POOL_MAX: '40' })
  opened.push(db)
  return db
}
afterAll(() => Promise.all(opened.map((db) => db.close())))

const system =
  (db: Db): Run =>
  (fn) =>
    db.tx({ kind: 'system', name: 'test' }, fn)

test('a lone writer that is newer than every finished transaction holds the mark back', async () => {
  const db = await database()
  const scope = testTenant()
  await db.tx(scope, (tx) => appendEvents(tx, [{ stream: 'a', type: 'note.added', data: 1 }]))
  if (db.mode === 'embedded') {
    // One transaction at a time: nobody can be open beside the reader, so every mark is safe at once.
    expect(await safePosition(system(db), 0)).toMatch(/1$/)
    return
  }
  const written = Promise.withResolvers<void>()
  const mayCommit = Promise.withResolvers<void>()
  const writer = db.tx(scope, async (tx) => {
    await appendEvents(tx, [{ stream: 'b', type: 'note.added', data: 2 }])
    written.resolve()
    await mayCommit.promise
  })
  await written.promise
  const mark = await system(db)(takeMark)
  // Two transactions later the writer is still the newest but one: comparing with xmax would call this safe.
  expect(await system(db)((tx) => isSafe(tx, mark))).toBe(false)
  expect(await safePosition(system(db), 20)).toBeUndefined()
  mayCommit.resolve()
  await writer
  // Writers of other databases of the cluster hold it back too, so it may take a moment.
  await expect.poll(() => system(db)((tx) => isSafe(tx, mark)), { timeout: 20_000 }).toBe(true)
  const events = await system(db)((tx) => listEvents(tx, { upTo: mark.position }))
  expect(events.map((event) => event.data)).toEqual([1, 2])
})

interface Step {
  streams: number[]
  holdBefore: number
  holdAfter: number
  fails: boolean
}

const step = fc.record({
  streams: fc.array(fc.nat(5), { minLength: 1, maxLength: 4 }),
  holdBefore: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, fc.nat(15)),
  holdAfter: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, fc.nat(15), fc.constant(60)),
  fails: fc.nat(6).map((n) => n === 0),
})
const writers = fc.array(fc.array(step, { minLength: 1, maxLength: 5 }), { minLength: 20, maxLength: 26 })

test('versions are gapless and a follower sees every event once, in order, however writers hold transactions open', async () => {
  const db = await database()
  await checkProperty('follower under concurrent writers', writers, (plan) => writeAndFollow(db, plan), {
    // Embedded, writers wait in line for the one connection: fewer runs say as much.
    runs: db.mode === 'embedded' ? 3 : 8,
  })
}, 180_000)

async function writeAndFollow(db: Db, plan: Step[][]): Promise<void> {
  const scope = testTenant()
  const seen: StoredEvent[] = []
  const stop = new AbortController()
  const from = await safePosition(system(db), 10_000)
  const following = follow(db, {
    name: 'test.follower',
    from: from ?? '',
    batch: 7,
    signal: stop.signal,
    onBatch: async (events) => void seen.push(...events),
  })
  const write = async (steps: Step[]) => {
    for (const one of steps) await writeOne(db, scope, one)
  }
  await Promise.all(plan.map(write))
  const all = await db.tx(scope, (tx) => listEvents(tx, { limit: 100_000 }))
  await expect.poll(() => seen.length, { timeout: 20_000 }).toBeGreaterThanOrEqual(all.length)
  stop.abort()
  await following
  expect(seen.map((event) => event.position)).toEqual(all.map((event) => event.position))
  const versions = Map.groupBy(seen, (event) => event.stream)
  for (const events of versions.values())
    expect(events.map((event) => event.version)).toEqual(events.map((_, i) => i + 1))
}

async function writeOne(db: Db, scope: ReturnType<typeof testTenant>, one: Step): Promise<void> {
  const writing = db.tx(scope, async (tx) => {
    // Another table first: the transaction has its id long before it draws a position.
    await createRecord(tx, 'feedback', { target_kind: 'test', target_id: 'x' })
    await sql`select pg_sleep(${one.holdBefore / 1000}::float8)`.execute(tx)
    for (const stream of one.streams) recordEvent(tx, { stream: `shared/${stream}`, type: 'note.added', data: null })
    await appendEvents(tx, [{ stream: `own/${one.streams[0]}`, type: 'note.added', data: null }])
    await sql`select pg_sleep(${one.holdAfter / 1000}::float8)`.execute(tx)
    if (one.fails) throw new Error('rolled back on purpose')
  })
  if (one.fails) await expect(writing).rejects.toThrow('on purpose')
  else await writing
}

test('a follower resumes after its position, takes only the types it asked for, and ends with its worker', async () => {
  const db = await database()
  const scope = testTenant()
  const appended = await db.tx(scope, (tx) =>
    appendEvents(
      tx,
      ['a.one', 'b.one', 'a.two', 'b.two', 'a.three'].map((type) => ({ stream: 's', type, data: null })),
    ),
  )
  const stop = new AbortController()
  const seen: string[] = []
  await follow(db, {
    name: 'test.types',
    from: appended[0]?.position ?? '',
    types: ['a.*', 'b.two'],
    signal: stop.signal,
    onBatch: async (events, position) => {
      seen.push(...events.map((event) => event.type))
      expect(position).toBe(appended.at(-1)?.position)
      stop.abort()
    },
  })
  expect(seen).toEqual(['a.two', 'b.two', 'a.three'])
  const failing = follow(db, {
    name: 'test.failing',
    signal: new AbortController().signal,
    onBatch: () => Promise.reject(new Error('worker failed')),
  })
  await expect(failing).rejects.toThrow('worker failed')
})
