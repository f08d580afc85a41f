import { setTimeout as sleep } from 'node:timers/promises'
import { type Db, migrate, notify, openDatabase, type Tx } from '@story-portal/shared/db'
import { sql } from 'kysely'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { startPostgres, type TestPostgres } from '../../shared/testing/postgres.ts'
import { silentLog, testConfig } from '../../shared/testing/test-config.ts'

let server: TestPostgres
const open: Db[] = []
const system = { kind: 'system', name: 'test' } as const

beforeAll(async () => {
  server = await startPostgres({ own: true })
  const db = await connect()
  await migrate(db)
  await db.tx({ kind: 'owner' }, async (tx) => {
    await sql`create table public.counters (id int primary key, n int not null default 0)`.execute(tx)
    await sql`insert into public.counters select generate_series(1, 10)`.execute(tx)
    await sql`grant all on public.counters to story_portal_system`.execute(tx)
  })
})
afterEach(async () => {
  for (const db of open.splice(0)) await db.close()
})
afterAll(() => server.stop())

async function connect(env: Record<string, string> = {}): Promise<Db> {
  const db = await openDatabase(testConfig({ DATABASE_URL: server.url, ...env }), { log: silentLog })
  open.push(db)
  return db
}

const add = (tx: Tx, id: number) => sql`update public.counters set n = n + 1 where id = ${id}`.execute(tx)
const read = (db: Db, id: number) =>
  db.tx(system, async (tx) => {
    const { rows } = await sql<{ n: number }>`select n from public.counters where id = ${id}`.execute(tx)
    return rows[0]?.n ?? -1
  })

async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await sleep(50)
}

test('down at the start: opening works, health says no, calls are UNAVAILABLE; back again: all works without a restart', async () => {
  await server.halt?.('fast')
  const db = await connect()
  const heard: string[] = []
  await db.listen('outage', (payload) => void heard.push(payload))
  expect(await db.health()).toMatchObject({ ok: false, mode: 'postgres' })
  await expect(read(db, 1)).rejects.toMatchObject({ code: 'UNAVAILABLE', number: 'E0101', retry_after_ms: 1000 })
  await server.resume?.()
  await until(async () => (await db.health()).ok)
  expect(await db.health()).toMatchObject({ migrations: { pending: [] }, pgvector: expect.any(String) })
  expect(db.vector).toBe(true)
  await until(async () => {
    await db.tx(system, (tx) => notify(tx, 'outage', 'back'))
    await sleep(20)
    return heard.includes('back')
  })
})

test('killed under load: every call ends with a result or a code, acknowledged counts are there, the pool is whole', async () => {
  const db = await connect()
  const before = await read(db, 2)
  let acknowledged = 0
  let unknown = 0
  const refused: string[] = []
  let stop = false
  const workers = Array.from({ length: 8 }, async () => {
    while (!stop) {
      try {
        await db.tx(system, (tx) => add(tx, 2))
        acknowledged += 1
      } catch (error) {
        const { number } = error as { number: string }
        if (number === 'E0120') unknown += 1
        else refused.push(number)
        await sleep(20)
      }
    }
  })
  for (let round = 0; round < 3; round++) {
    const so = acknowledged
    await until(async () => acknowledged > so + 20)
    await server.halt?.('kill')
    await server.resume?.()
  }
  const reached = acknowledged
  await until(async () => acknowledged > reached + 20)
  stop = true
  await Promise.all(workers)
  expect(new Set(refused.filter((number) => number !== 'E0101'))).toEqual(new Set())
  const counted = (await read(db, 2)) - before
  expect(counted).toBeGreaterThanOrEqual(acknowledged)
  expect(counted).toBeLessThanOrEqual(acknowledged + unknown)
  const { pool } = await db.health()
  expect(pool.waiting).toBe(0)
  expect(pool.idle).toBe(pool.size)
})

test('a storm of terminated connections leaks none and loses no acknowledged change', async () => {
  const db = await connect({ STORY_PORTAL_DB_POOL_MAX: '4' })
  const killer = await connect()
  let killing: Promise<unknown> = Promise.resolve()
  const before = await read(db, 3)
  const outcomes = await Promise.allSettled(
    Array.from({ length: 200 }, async (_, i) => {
      await db.tx(system, (tx) => add(tx, 3))
      if (i % 20 !== 0) return
      // One after the other, or those that kill would kill each other.
      killing = killing.then(() =>
        sql`select pg_terminate_backend(pid) from pg_stat_activity
          where datname = current_database() and pid <> pg_backend_pid()`.execute(killer.raw),
      )
      await killing
    }),
  )
  const done = outcomes.filter((outcome) => outcome.status === 'fulfilled').length
  const codes = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason.code] : []))
  expect(codes.filter((code) => code !== 'UNAVAILABLE')).toEqual([])
  expect((await read(db, 3)) - before).toBeGreaterThanOrEqual(done)
  const { pool } = await db.health()
  expect(pool).toMatchObject({ waiting: 0, idle: pool.size })
})

test('two transactions that lock in opposite order both succeed', async () => {
  const db = await connect()
  const before = [await read(db, 4), await read(db, 5)]
  let met = 0
  const { promise: both, resolve } = Promise.withResolvers<void>()
  const cross = (first: number, second: number) =>
    db.tx(system, async (tx) => {
      await add(tx, first)
      met += 1
      if (met === 2) resolve()
      if (met <= 2) await both
      await add(tx, second)
    })
  await Promise.all([cross(4, 5), cross(5, 4)])
  // The loser of the deadlock ran again.
  expect(met).toBe(3)
  expect([await read(db, 4), await read(db, 5)]).toEqual(before.map((n) => n + 2))
})

test('a lock that is held too long, and a statement that runs too long, end with their codes', async () => {
  const db = await connect({ STORY_PORTAL_DB_LOCK_TIMEOUT_MS: '300', STORY_PORTAL_DB_STATEMENT_TIMEOUT_MS: '2000' })
  const other = await connect()
  const { promise: held, resolve: holding } = Promise.withResolvers<void>()
  const { promise: release, resolve: letGo } = Promise.withResolvers<void>()
  const holder = other.tx(system, async (tx) => {
    await add(tx, 6)
    holding()
    await release
  })
  await held
  await expect(db.tx(system, (tx) => add(tx, 6))).rejects.toMatchObject({ number: 'E0106' })
  letGo()
  await holder
  const slow = db.tx(system, (tx) => sql`select pg_sleep(60)`.execute(tx))
  await expect(slow).rejects.toMatchObject({ number: 'E0107' })
})

test('a transaction that stands still is ended by the server, and its connection is not used again', async () => {
  const db = await connect({ STORY_PORTAL_DB_IDLE_TRANSACTION_MS: '200', STORY_PORTAL_DB_POOL_MAX: '2' })
  const before = await read(db, 7)
  const idle = db.tx(system, async (tx) => {
    await add(tx, 7)
    await sleep(1500)
    await add(tx, 7)
  })
  await expect(idle).rejects.toMatchObject({ code: 'UNAVAILABLE' })
  expect(await read(db, 7)).toBe(before)
})

test('a wrong password or database is said so without showing the address', async () => {
  const url = new URL(server.url)
  url.password = 'wrong-secret'
  const db = await connect({ DATABASE_URL: url.href })
  const attempt = read(db, 1)
  await expect(attempt).rejects.toMatchObject({ number: 'E0111', hint: expect.stringContaining('DATABASE_URL') })
  await expect(attempt).rejects.not.toMatchObject({ message: expect.stringContaining('wrong-secret') })
  url.password = new URL(server.url).password
  url.pathname = '/nothing_here'
  const other = await connect({ DATABASE_URL: url.href })
  await expect(read(other, 1)).rejects.toMatchObject({ number: 'E0111' })
})
