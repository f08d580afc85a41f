import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest'
import type { Lease } from '../../shared/db/connection.ts'
import { type EmbeddedOptions, EmbeddedSource } from '../../shared/db/embedded/source.ts'
import { emptySnapshot } from '../../shared/testing/embedded-snapshot.ts'
import { silentLog } from '../../shared/testing/test-config.ts'

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 })

let snapshot: string
let dir: string
let source: EmbeddedSource | undefined

beforeAll(async () => {
  snapshot = await emptySnapshot()
  dir = mkdtempSync(path.join(tmpdir(), 'story-portal-source-'))
})
afterEach(() => source?.end())
afterAll(() => rmSync(dir, { recursive: true, force: true }))

const FOREVER = 'select count(*) from generate_series(1, 100000000000) as n'

async function start(options: Partial<EmbeddedOptions> = {}): Promise<EmbeddedSource> {
  source = new EmbeddedSource(
    { dataDir: undefined, snapshot, fsync: false, maxQueryMs: 120_000, idleTransactionMs: 60_000, ...options },
    silentLog,
  )
  await source.open()
  return source
}

async function ask(from: EmbeddedSource, text: string): Promise<Record<string, unknown>[]> {
  const lease = await from.acquire()
  try {
    return await rows(lease, text)
  } finally {
    lease.release(!lease.atRest())
  }
}

async function rows(lease: Lease, text: string): Promise<Record<string, unknown>[]> {
  const result = await lease.query(text)
  return (Array.isArray(result) ? result.at(-1) : result)?.rows ?? []
}

test('the connection goes round in the order it was asked for', async () => {
  const db = await start()
  const order: number[] = []
  await Promise.all(
    Array.from({ length: 10 }, async (_, i) => {
      const lease = await db.acquire()
      order.push(i)
      await lease.query('select 1')
      await turn()
      lease.release(false)
    }),
  )
  expect(order).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
})

test('a transaction that stands still is rolled back, and the next one gets its turn', async () => {
  const db = await start({ idleTransactionMs: 500 })
  await ask(db, 'create table notes (id int)')
  const idle = await db.acquire()
  await idle.query('begin; insert into notes values (1)')
  expect(await ask(db, 'select count(*)::int as n from notes')).toEqual([{ n: 0 }])
  // Whoever held it is not in its transaction any more, and must not write into somebody else's.
  await expect(idle.query('insert into notes values (2)')).rejects.toMatchObject({ number: 'E0108' })
  await expect(idle.query('commit')).rejects.toMatchObject({ number: 'E0108' })
  idle.release(false)
  expect(await ask(db, 'select count(*)::int as n from notes')).toEqual([{ n: 0 }])
})

test('an open transaction is not handed to the next user', async () => {
  const db = await start()
  await ask(db, 'create table notes (id int)')
  const lease = await db.acquire()
  await lease.query('begin; insert into notes values (1)')
  lease.release(!lease.atRest())
  expect(await ask(db, 'select count(*)::int as n, pg_current_xact_id_if_assigned() as x from notes')).toEqual([
    { n: 0, x: null },
  ])
})

test('a query that takes too long is ended, waiters are told, and everything committed is there', async () => {
  const db = await start({ dataDir: path.join(dir, 'slow'), maxQueryMs: 4000 })
  await ask(db, 'create table notes (id int)')
  await ask(db, 'insert into notes values (1)')
  const slow = ask(db, `begin; insert into notes values (2); ${FOREVER}`)
  const waiting = ask(db, 'select 1')
  const outcomes = await Promise.allSettled([slow, waiting])
  expect(outcomes).toMatchObject([
    { reason: { number: 'E0107', code: 'UNAVAILABLE' } },
    { reason: { number: 'E0119', code: 'UNAVAILABLE', retry_after_ms: 2000 } },
  ])
  expect(await ask(db, 'select id from notes')).toEqual([{ id: 1 }])
  expect(db.restarts).toBe(1)
})

test('who listens hears again after the thread was started again', async () => {
  const db = await start({ maxQueryMs: 4000 })
  const heard: string[] = []
  const { promise, resolve } = Promise.withResolvers<void>()
  await db.listen('wake', (payload) => {
    heard.push(payload)
    resolve()
  })
  await expect(ask(db, FOREVER)).rejects.toMatchObject({ number: 'E0107' })
  await ask(db, "select pg_notify('wake', 'again')")
  await promise
  expect(heard).toEqual(['again'])
})

test('the event loop of this thread turns while the database works', async () => {
  const db = await start()
  let done = false
  const query = ask(db, 'select count(*)::int as n from generate_series(1, 8000000) as n').then((result) => {
    done = true
    return result
  })
  let turns = 0
  let timers = 0
  while (!done && turns < 500) {
    await turn()
    turns += 1
    if (turns % 100 === 0) {
      await sleep(1)
      timers += 1
    }
  }
  // Were the query on this thread, it would be done before the loop turned once.
  expect({ done, turns, timers }).toEqual({ done: false, turns: 500, timers: 5 })
  expect(await query).toEqual([{ n: 8_000_000 }])
})

test('closing waits for what was asked before and refuses what comes after', async () => {
  const db = await start()
  const earlier = ask(db, 'select 1 as n')
  const closing = db.end()
  await expect(ask(db, 'select 2')).rejects.toMatchObject({ number: 'E0121' })
  expect(await earlier).toEqual([{ n: 1 }])
  await closing
})

test('a directory that is not a database is refused with a code, and says it again', async () => {
  const db = new EmbeddedSource(
    { dataDir: '/proc/nowhere/db', snapshot, fsync: false, maxQueryMs: 1000, idleTransactionMs: 1000 },
    silentLog,
  )
  await expect(db.open()).rejects.toMatchObject({ code: 'UNAVAILABLE', number: 'E0115' })
  await expect(db.acquire()).rejects.toMatchObject({ code: 'UNAVAILABLE', number: 'E0115' })
  await db.end()
})
