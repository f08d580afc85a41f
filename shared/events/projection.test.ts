import { sql } from 'kysely'
import { afterAll, expect, test } from 'vitest'
import { activity, createRecord, listActivity, updateRecord } from '../data/index.ts'
import type { Tx } from '../db/index.ts'
import { type TestDatabase, testDatabase, testTenant } from '../testing/index.ts'
import {
  appendEvents,
  canonicalJson,
  catchUpProjection,
  projectedPosition,
  projectionLag,
  projectionNamed,
  rebuildProjection,
  runProjection,
} from './index.ts'

// Projections run over the whole log: a database per test, so that no other test's transaction holds them back.
const opened: TestDatabase[] = []
const database = async () => {
  const db = await testDatabase()
  opened.push(db)
  return db
}
afterAll(() => Promise.all(opened.map((db) => db.close())))

const table = async (tx: Tx) =>
  canonicalJson((await sql`select * from core.activity order by tenant_id, day, type`.execute(tx)).rows)
const work = async (db: TestDatabase, scope: ReturnType<typeof testTenant>, goals: number) => {
  for (let i = 0; i < goals; i++) {
    await db.tx(scope, async (tx) => {
      const goal = await createRecord(tx, 'goal', { title: `goal ${i}` })
      await updateRecord(tx, 'goal', goal.id, { status: 'active' })
    })
  }
}

test('a projection kept level by a worker equals one rebuilt beside it while writers go on', async () => {
  const db = await database()
  const scope = testTenant()
  const stop = new AbortController()
  const running = Promise.all([runProjection(db, activity, stop.signal), runProjection(db, activity, stop.signal)])
  const writing = work(db, scope, 30)
  const during = await rebuildProjection((fn) => db.tx(scope, fn), activity)
  await writing
  await catchUpProjection(db, activity)
  stop.abort()
  await running
  const live = await db.tx(scope, table)
  const rebuilt = await rebuildProjection((fn) => db.tx(scope, fn), activity)
  expect(rebuilt.events).toBe(60)
  expect(during.events).toBeLessThanOrEqual(60)
  expect(await db.tx(scope, table)).toBe(live)
  const figures = await db.tx(scope, (tx) => listActivity(tx, 10))
  expect(figures.map(({ type, events }) => [type, events])).toEqual([
    ['goal.updated', 30],
    ['goal.created', 30],
  ])
  const [lag] = await db.tx(scope, projectionLag)
  expect(lag).toEqual({ name: 'activity', position: await db.tx(scope, projectedPosition), behind: 0 })
})

test('a rebuild repairs what went wrong, for its own tenant only', async () => {
  const db = await database()
  const [mine, theirs] = [testTenant(), testTenant()]
  await work(db, mine, 2)
  await work(db, theirs, 1)
  await catchUpProjection(db, activity)
  const [right, other] = [await db.tx(mine, table), await db.tx(theirs, table)]
  await db.tx(mine, (tx) => sql`update core.activity set events = 99`.execute(tx))
  await db.tx(theirs, (tx) => sql`delete from core.activity`.execute(tx))
  await rebuildProjection((fn) => db.tx(mine, fn), activity)
  expect(await db.tx(mine, table)).toBe(right)
  expect(await db.tx(theirs, table)).toBe('[]')
  await rebuildProjection((fn) => db.tx(theirs, fn), activity)
  expect(await db.tx(theirs, table)).toBe(other)
})

test('more than one batch is folded, and a newer rebuild replaces an older one', async () => {
  const db = await database()
  const scope = testTenant()
  const events = Array.from({ length: 2500 }, (_, i) => ({ stream: `s/${i % 7}`, type: 'note.added', data: i }))
  await db.tx(scope, (tx) => appendEvents(tx, events))
  await catchUpProjection(db, activity)
  const run = <T>(fn: (tx: Tx) => Promise<T>) => db.tx(scope, fn)
  const seen: number[] = []
  const newer: Promise<unknown>[] = []
  const older = rebuildProjection(run, activity, {
    onProgress: (count) => {
      seen.push(count)
      if (newer.length === 0) newer.push(rebuildProjection(run, activity))
    },
  })
  // The older one stops at its next batch, or had finished just before; the table is whole either way.
  const outcome = await older.then(
    (result) => result.events,
    (error: { number: string }) => error.number,
  )
  expect(['E0304', 2500]).toContain(outcome)
  await Promise.all(newer)
  expect(seen[0]).toBe(1000)
  expect((await db.tx(scope, (tx) => listActivity(tx, 10))).map((one) => one.events)).toEqual([2500])
})

test('a projection that fails moves no checkpoint, and an unknown one is named with those that exist', async () => {
  const db = await database()
  const scope = testTenant()
  await work(db, scope, 1)
  const failing = { ...activity, name: 'failing', apply: () => Promise.reject(new Error('apply failed')) }
  await expect(catchUpProjection(db, failing)).rejects.toThrow('apply failed')
  expect(await db.tx(scope, projectionLag)).toEqual([])
  expect(() => projectionNamed('nope')).toThrow(expect.objectContaining({ number: 'E0303' }))
  expect(() => projectionNamed('nope')).toThrow('There is no projection nope.')
  expect(projectionNamed('activity')).toBe(activity)
})
