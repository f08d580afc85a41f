import { sql } from 'kysely'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { silentLog, type TestDatabase, testDatabase, testTenant } from '../testing/index.ts'
import { giveBackTaken } from './boss.ts'
import { createJobs, defineQueue, type Job, type Jobs } from './index.ts'
import { keepStatistics } from './maintenance.ts'

interface Mail {
  to: string
}

const MAIL = defineQueue<Mail>({ name: 'test.mail', retry_limit: 1, retry_delay_seconds: 0 })
const LEDGER = defineQueue<Mail>({ name: 'test.ledger', retry_limit: 0 })
const BULK = defineQueue<Mail>({ name: 'test.bulk', retry_limit: 0, retry_delay_seconds: 0 })
const scope = testTenant()
let db: TestDatabase
let jobs: Jobs

beforeAll(async () => {
  db = await testDatabase()
  jobs = await createJobs({ db, log: silentLog, poll_ms: 200 })
  await jobs.start()
})

afterAll(async () => {
  await jobs.stop()
  await db.close()
})

/** Resolves with what `collect` was given, once it was given `count`. */
function collector<T>(count: number) {
  const seen: T[] = []
  let done: (all: T[]) => void = () => {}
  const all = new Promise<T[]>((resolve) => {
    done = resolve
  })
  const collect = (item: T) => {
    seen.push(item)
    if (seen.length === count) done(seen)
  }
  return { all, collect, seen }
}

test('a job exists exactly when the transaction that added it committed', async () => {
  const { all, collect, seen } = collector<Job<Mail>>(1)
  const worker = await jobs.work(MAIL, async (job) => collect(job))
  await expect(
    db.tx(scope, async (tx) => {
      await jobs.enqueue(tx, MAIL, { to: 'nobody' })
      throw new Error('changed its mind')
    }),
  ).rejects.toThrow()
  await db.tx(scope, (tx) => jobs.enqueue(tx, MAIL, { to: 'ann' }))
  await all
  await worker.stop()
  expect(seen.map(({ data, attempt }) => ({ data, attempt }))).toEqual([{ data: { to: 'ann' }, attempt: 1 }])
})

test('a failing job is tried again, then waits in the dead letters with our own words, until redriven or discarded', async () => {
  let failing = true
  const { all, collect } = collector<string>(1)
  const tries: number[] = []
  const worker = await jobs.work(MAIL, async (job) => {
    tries.push(job.attempt)
    if (failing) throw new Error('smtp.example: password of ann is hunter2')
    collect(job.data.to)
  })
  await db.tx(scope, (tx) => jobs.enqueue(tx, MAIL, { to: 'bob' }))
  await expect.poll(() => jobs.deadLetters(MAIL), { timeout: 20_000 }).toHaveLength(1)
  const [letter] = await jobs.deadLetters(MAIL)
  expect(tries).toEqual([1, 2])
  expect(letter).toMatchObject({ queue: 'test.mail', data: { to: 'bob' } })
  expect(JSON.stringify(letter)).not.toContain('hunter2')
  failing = false
  expect(await jobs.redrive(MAIL, [letter?.id ?? ''])).toBe(1)
  expect(await all).toEqual(['bob'])
  expect(await jobs.deadLetters(MAIL)).toEqual([])
  failing = true
  await db.tx(scope, (tx) => jobs.enqueue(tx, MAIL, { to: 'eve' }))
  await expect.poll(() => jobs.deadLetters(MAIL), { timeout: 20_000 }).toHaveLength(1)
  const [second] = await jobs.deadLetters(MAIL)
  expect(await jobs.discard(MAIL, [second?.id ?? ''])).toBe(1)
  expect(await jobs.deadLetters(MAIL)).toEqual([])
  await worker.stop()
})

test('a job in a transaction completes with its effect or not at all', async () => {
  const { all, collect } = collector<string>(1)
  const worker = await jobs.workInTransaction(LEDGER, async (tx, job) => {
    expect(tx.scope).toEqual({ kind: 'system', name: 'test.ledger' })
    collect(job.data.to)
  })
  await db.tx(scope, (tx) => jobs.enqueue(tx, LEDGER, { to: 'ann' }))
  expect(await all).toEqual(['ann'])
  await worker.stop()
  expect(await jobs.deadLetters(LEDGER)).toEqual([])
})

test('one poisoned job among many takes no other with it', async () => {
  const { all, collect, seen } = collector<string>(40)
  const worker = await jobs.work(
    BULK,
    async ({ data }) => {
      if (data.to === 'poison') throw new Error('no')
      collect(data.to)
    },
    { concurrency: 8 },
  )
  const many = Array.from({ length: 40 }, (_, i) => ({ to: `m${i}` }))
  await db.tx(scope, (tx) => jobs.enqueueMany(tx, BULK, [...many.slice(0, 20), { to: 'poison' }, ...many.slice(20)]))
  await all
  await expect.poll(() => jobs.deadLetters(BULK), { timeout: 20_000 }).toHaveLength(1)
  await worker.stop()
  expect(new Set(seen).size).toBe(40)
})

test('a singleton key keeps a second waiting job out', async () => {
  const ids = await db.tx(scope, async (tx) => [
    await jobs.enqueue(tx, LEDGER, { to: 'a' }, { singleton_key: 'k', delay_seconds: 60 }),
    await jobs.enqueue(tx, LEDGER, { to: 'b' }, { singleton_key: 'k', delay_seconds: 60 }),
  ])
  expect(ids).toEqual([expect.any(String), null])
})

test('a job that a dead process had taken is given back at the next start', async () => {
  const first = await createJobs({ db, log: silentLog, poll_ms: 100 })
  await first.start()
  const taken = collector<string>(1)
  const hang = (job: Job<Mail>) => {
    taken.collect(job.id)
    return new Promise<never>(() => {})
  }
  await first.work(BULK, hang, { concurrency: 1 })
  await db.tx(scope, (tx) => first.enqueue(tx, BULK, { to: 'ann' }))
  const [id] = await taken.all
  const second = await createJobs({ db, log: silentLog, poll_ms: 100 })
  await second.start()
  // Embedded the start has done it: nobody else can be alive there.
  if (db.mode === 'postgres') await giveBackTaken(db)
  const again = collector<string>(1)
  await second.work(BULK, async (job) => again.collect(job.id))
  expect(await again.all).toEqual([id])
  await second.stop()
  await first.stop()
})

test('a tenant adds jobs and can neither read nor change those of others', async () => {
  await db.tx(scope, async (tx) => {
    expect(await jobs.enqueue(tx, LEDGER, { to: 'mine' }, { delay_seconds: 60 })).toEqual(expect.any(String))
    await jobs.enqueueMany(tx, LEDGER, [{ to: 'a' }, { to: 'b' }])
  })
  const forbidden = [
    sql`select data from pgboss.job`,
    sql`select data from pgboss.job_common`,
    sql`update pgboss.job set data = '{}'`,
    sql`delete from pgboss.job_common`,
    sql`truncate pgboss.job`,
    sql`delete from pgboss.queue`,
    sql`select cron from pgboss.schedule`,
    sql`update pgboss.version set version = 1`,
  ]
  for (const query of forbidden) await expect(db.tx(scope, (tx) => query.execute(tx))).rejects.toThrow()
})

test('a schedule is kept once for the installation', async () => {
  await jobs.schedule(LEDGER, '17 3 * * *', { to: 'nightly' })
  await jobs.schedule(LEDGER, '17 4 * * *', { to: 'nightly' })
  const { rows } = await db.raw.executeQuery<{ cron: string }>({
    sql: 'select cron from pgboss.schedule',
    parameters: [],
    query: { kind: 'RawNode', sqlFragments: [], parameters: [] },
    queryId: { queryId: 'test' },
  })
  expect(rows).toEqual([{ cron: '17 4 * * *' }])
})

test('statistics are renewed when asked', async () => {
  const warnings: unknown[] = []
  const statistics = keepStatistics(db, { warn: (entry: unknown) => warnings.push(entry) } as never)
  await statistics.now()
  expect(warnings).toEqual([])
  await statistics.stop()
  const { rows } = await sql<{ n: number }>`
    select reltuples::float8 as n from pg_class where oid = 'pgboss.job_common'::regclass`.execute(db.raw)
  expect(rows[0]?.n).toBeGreaterThanOrEqual(0)
})

test('before the queue is open the caller hears so, and nothing is half written', async () => {
  const closed = await createJobs({ db, log: silentLog })
  await closed.stop()
  await expect(db.tx(scope, (tx) => closed.enqueue(tx, MAIL, { to: 'x' }))).rejects.toMatchObject({ number: 'E0701' })
})
