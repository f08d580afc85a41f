import { sql } from 'kysely'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { silentLog, type TestDatabase, testDatabase, testTenant } from '../testing/database.ts'
import { insideTransaction, json, newId, notify, openDatabase, type Tx } from './index.ts'

let db: TestDatabase
const system = { kind: 'system', name: 'test' } as const

beforeAll(async () => {
  db = await testDatabase()
  await db.tx({ kind: 'owner' }, async (tx) => {
    await sql`create schema db_test`.execute(tx)
    await sql`create table db_test.items (id text primary key, n int not null default 0 check (n >= 0), ref text references db_test.items, owner text)`.execute(
      tx,
    )
    await sql`create table db_test.deferred (id int, constraint once unique (id) deferrable initially deferred)`.execute(
      tx,
    )
    await sql`grant usage on schema db_test to story_portal_app, story_portal_system`.execute(tx)
    await sql`grant all on all tables in schema db_test to story_portal_app, story_portal_system`.execute(tx)
  })
})
afterAll(() => db.close())

async function one<T>(tx: Tx, query: ReturnType<typeof sql<T>>): Promise<T> {
  const { rows } = await query.execute(tx)
  return rows[0] as T
}

const insert = (tx: Tx, id: string) => sql`insert into db_test.items (id) values (${id})`.execute(tx)
const count = (tx: Tx, id: string) =>
  one(tx, sql<{ n: number }>`select count(*)::int as n from db_test.items where id = ${id}`)

test('both drivers give the same JavaScript values', async () => {
  const values = await db.tx(system, (tx) =>
    one(
      tx,
      sql`select 7::int2 as i2, -7 as i4, 9007199254740993::int8 as i8, 1.10::numeric as numeric, 0.5::float8 as f8, true as b,
        'x'::text as text, null::text as nothing, '2026-11-23 04:31:31.123456+02'::timestamptz as at,
        '2026-11-23 04:31:31'::timestamp as local, '2026-11-23'::date as day, '1 day 02:03:04'::interval as span,
        '{"a":[1,"\u00e9",null]}'::jsonb as jb, '[1]'::json as j, '\\x00ff'::bytea as bytes,
        array['a','b,c',null,'"']::text[] as texts, array[1,2]::int[] as ints, array[5]::int8[] as bigs,
        array['2026-01-01 00:00:00+00']::timestamptz[] as times, array['{"k":1}']::jsonb[] as documents,
        'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'::uuid as uuid, count(*) as counted from (values (1), (2)) as v`,
    ),
  )
  expect(values).toEqual({
    i2: 7,
    i4: -7,
    i8: '9007199254740993',
    numeric: '1.10',
    f8: 0.5,
    b: true,
    text: 'x',
    nothing: null,
    at: '2026-11-23T02:31:31.123Z',
    local: '2026-11-23T04:31:31.000',
    day: '2026-11-23',
    span: '1 day 02:03:04',
    jb: { a: [1, 'é', null] },
    j: [1],
    bytes: new Uint8Array([0, 255]),
    texts: ['a', 'b,c', null, '"'],
    ints: [1, 2],
    bigs: ['5'],
    times: ['2026-01-01T00:00:00.000Z'],
    documents: [{ k: 1 }],
    uuid: 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11',
    counted: '2',
  })
})

test('parameters of every kind arrive as they were', async () => {
  const moment = new Date('2026-11-23T04:31:31.123Z')
  const sent = { deep: [{ text: 'quote " and \\ and \u0001' }], nothing: null }
  const back = await db.tx(system, (tx) =>
    one(
      tx,
      sql`select ${json(sent)} as document, ${['a', 'b"c', null]}::text[] as texts, ${moment}::timestamptz as at,
        ${Buffer.from([1, 0, 255])}::bytea as bytes, ${12}::int as n, ${true}::bool as b, ${null}::text as nothing`,
    ),
  )
  expect(back).toEqual({
    document: sent,
    texts: ['a', 'b"c', null],
    at: '2026-11-23T04:31:31.123Z',
    bytes: new Uint8Array([1, 0, 255]),
    n: 12,
    b: true,
    nothing: null,
  })
})

test('vectors are arrays of numbers', async () => {
  expect(db.vector).toBe(true)
  const row = await db.tx(system, (tx) =>
    one(tx, sql`select '[1,2.5]'::vector as v, '[0,0]'::vector <-> '[3,4]' as distance`),
  )
  expect(row).toEqual({ v: [1, 2.5], distance: 5 })
})

test('large texts and many rows pass', async () => {
  const long = 'ä'.repeat(1_500_000)
  const row = await db.tx(system, (tx) =>
    one(tx, sql<{ text: string; n: number }>`select ${long}::text as text, 1 as n`),
  )
  expect(row.text).toBe(long)
  const { rows } = await db.tx(system, (tx) => sql<{ n: number }>`select generate_series(1, 50000) as n`.execute(tx))
  expect(rows).toHaveLength(50_000)
  expect(rows.at(-1)).toEqual({ n: 50_000 })
})

test('each scope has its role, and the tenant its setting', async () => {
  const who = sql<{ role: string; tenant: string | null }>`
    select current_user::text as role, nullif(current_setting('app.tenant', true), '') as tenant`
  const tenant = { ...testTenant(), tenant_id: "o'brien\\; drop" }
  expect(await db.tx(tenant, (tx) => one(tx, who))).toEqual({ role: 'story_portal_app', tenant: "o'brien\\; drop" })
  expect(await db.tx(system, (tx) => one(tx, who))).toEqual({ role: 'story_portal_system', tenant: null })
  const owner = await db.tx({ kind: 'owner' }, (tx) => one(tx, who))
  expect(owner.role).not.toMatch(/^story_portal_/)
  expect(owner.tenant).toBeNull()
})

test('what fails leaves nothing behind, and the next transaction works', async () => {
  const id = newId('itm')
  const failed = db.tx(system, async (tx) => {
    await insert(tx, id)
    throw new RangeError('enough')
  })
  await expect(failed).rejects.toThrow('enough')
  expect(await db.tx(system, (tx) => count(tx, id))).toEqual({ n: 0 })
})

test('a statement error that is swallowed does not turn COMMIT into a silent rollback', async () => {
  const id = newId('itm')
  const swallowed = db.tx(system, async (tx) => {
    await insert(tx, id)
    await sql`select 1 / 0`.execute(tx).catch(() => {})
  })
  await expect(swallowed).rejects.toThrow()
  expect(await db.tx(system, (tx) => count(tx, id))).toEqual({ n: 0 })
})

test('hooks run before and after the commit, in order, and hooks can add hooks', async () => {
  const id = newId('itm')
  const seen: string[] = []
  await db.tx(system, async (tx) => {
    tx.afterCommit(() => void seen.push(`after, inside: ${insideTransaction()}`))
    tx.beforeCommit(async () => {
      await insert(tx, id)
      seen.push('first')
      tx.beforeCommit(async () => void seen.push('added'))
    })
    tx.beforeCommit(async () => void seen.push('second'))
    seen.push('body')
  })
  expect(seen).toEqual(['body', 'first', 'second', 'added', 'after, inside: false'])
  expect(await db.tx(system, (tx) => count(tx, id))).toEqual({ n: 1 })
})

test('a failing hook before the commit undoes everything, one after it undoes nothing', async () => {
  const undone = newId('itm')
  const failed = db.tx(system, async (tx) => {
    tx.beforeCommit(() => Promise.reject(new RangeError('hook')))
    await insert(tx, undone)
  })
  await expect(failed).rejects.toThrow('hook')
  const kept = newId('itm')
  await db.tx(system, async (tx) => {
    tx.afterCommit(() => Promise.reject(new RangeError('late')))
    await insert(tx, kept)
  })
  expect(await db.tx(system, (tx) => count(tx, undone))).toEqual({ n: 0 })
  expect(await db.tx(system, (tx) => count(tx, kept))).toEqual({ n: 1 })
})

test('inside a transaction another one, raw access and listening are refused at once', async () => {
  const uses: (() => Promise<unknown>)[] = [
    () => db.tx(system, async () => {}),
    () => sql`select 1`.execute(db.raw),
    () => db.listen('x', () => {}),
  ]
  for (const use of uses) {
    await expect(db.tx(system, use)).rejects.toMatchObject({ number: 'E0016' })
  }
})

test('errors of the database come out as ours', async () => {
  const id = newId('itm')
  await db.tx(system, (tx) => insert(tx, id))
  const attempt = (query: ReturnType<typeof sql>) => db.tx(system, (tx) => query.execute(tx))
  await expect(attempt(sql`insert into db_test.items (id) values (${id})`)).rejects.toMatchObject({
    number: 'E0102',
    details: { table: 'items', constraint: 'items_pkey' },
  })
  await expect(attempt(sql`insert into db_test.items (id, ref) values ('x', 'nowhere')`)).rejects.toMatchObject({
    number: 'E0103',
  })
  await expect(attempt(sql`insert into db_test.items (id, n) values ('x', -1)`)).rejects.toMatchObject({
    number: 'E0105',
  })
  await expect(attempt(sql`select ${'x'}::int`)).rejects.toMatchObject({ number: 'E0105' })
  await expect(attempt(sql`select ${'a\u0000b'}::text`)).rejects.toMatchObject({ number: 'E0105' })
  await expect(attempt(sql`select * from db_test.nothing_here`)).rejects.toMatchObject({ number: 'E0112' })
  await db.tx(system, (tx) => sql`insert into db_test.items (id, ref) values (${newId('itm')}, ${id})`.execute(tx))
  await expect(attempt(sql`delete from db_test.items where id = ${id}`)).rejects.toMatchObject({ number: 'E0104' })
})

test('a constraint that fails at COMMIT is a refusal, not an unknown outcome', async () => {
  const twice = db.tx(system, (tx) => sql`insert into db_test.deferred values (1), (1)`.execute(tx))
  await expect(twice).rejects.toMatchObject({ number: 'E0102' })
})

test('serialization failures and deadlocks are run again, a bounded number of times', async () => {
  const fail = (tx: Tx) => sql`do $$ begin raise exception using errcode = '40001'; end $$`.execute(tx)
  let tries = 0
  const result = await db.tx(system, async (tx) => {
    tries += 1
    if (tries < 4) await fail(tx)
    return 'done'
  })
  expect({ result, tries }).toEqual({ result: 'done', tries: 4 })
  tries = 0
  const hopeless = db.tx(
    system,
    async (tx) => {
      tries += 1
      await fail(tx)
    },
    { attempts: 3 },
  )
  await expect(hopeless).rejects.toMatchObject({ number: 'E0106', code: 'UNAVAILABLE' })
  expect(tries).toBe(3)
})

test('a read-only transaction can not write', async () => {
  const attempt = db.tx(system, (tx) => insert(tx, newId('itm')), { readOnly: true })
  await expect(attempt).rejects.toMatchObject({ message: expect.stringContaining('read-only') })
})

test('64 parallel writers of one row: every acknowledged increment is there', async () => {
  const id = newId('itm')
  await db.tx(system, (tx) => insert(tx, id))
  await Promise.all(
    Array.from({ length: 64 }, () =>
      db.tx(system, async (tx) => {
        const row = await one(tx, sql<{ n: number }>`select n from db_test.items where id = ${id} for update`)
        await sql`update db_test.items set n = ${row.n + 1} where id = ${id}`.execute(tx)
      }),
    ),
  )
  const row = await db.tx(system, (tx) => one(tx, sql<{ n: number }>`select n from db_test.items where id = ${id}`))
  expect(row.n).toBe(64)
})

test('statements that are not awaited one by one still run one by one', async () => {
  const numbers = await db.tx(system, (tx) =>
    Promise.all(Array.from({ length: 20 }, (_, i) => one(tx, sql<{ n: number }>`select ${i}::int as n`))),
  )
  expect(numbers.map((row) => row.n)).toEqual(Array.from({ length: 20 }, (_, i) => i))
})

test('kysely reports how many rows an update touched', async () => {
  const id = newId('itm')
  await db.tx(system, (tx) => insert(tx, id))
  const result = await db.tx(system, (tx) => sql`update db_test.items set n = 1 where id = ${id}`.execute(tx))
  expect(result.numAffectedRows).toBe(1n)
})

test('a notification arrives when its transaction commits, and only then', async () => {
  const heard: string[] = []
  const { promise, resolve } = Promise.withResolvers<void>()
  const stop = await db.listen('db_test', (payload) => {
    heard.push(payload)
    if (payload === 'second') resolve()
  })
  await expect(
    db.tx(system, async (tx) => {
      await notify(tx, 'db_test', 'never')
      throw new RangeError('undone')
    }),
  ).rejects.toThrow()
  await db.tx(system, (tx) => notify(tx, 'db_test', 'first'))
  await db.tx(testTenant(), (tx) => notify(tx, 'db_test', 'second'))
  await promise
  expect(heard).toEqual(['first', 'second'])
  await stop()
  await expect(db.tx(system, (tx) => notify(tx, 'db_test', 'x'.repeat(8000)))).rejects.toThrow(RangeError)
})

test('core.now() follows the clock of the test, also backwards', async () => {
  const ahead = sql<{ s: number }>`select extract(epoch from core.now() - now())::int as s`
  expect(await db.tx(system, (tx) => one(tx, ahead))).toEqual({ s: 0 })
  db.advance(90_000)
  expect(await db.tx(system, (tx) => one(tx, ahead))).toEqual({ s: 90 })
  db.advance(-90_000)
  expect(await db.tx(system, (tx) => one(tx, ahead))).toEqual({ s: 0 })
})

test('health tells version, pool and that nothing is left to migrate', async () => {
  const health = await db.health()
  expect(health).toMatchObject({ ok: true, mode: db.mode, migrations: { pending: [] } })
  expect(health.server_version).toMatch(/^\d+\.\d+$/)
  expect(health.migrations.applied).toBeGreaterThan(0)
  expect(health.pgvector).toMatch(/^\d+\.\d+/)
})

test('after close every call is refused with a code, and closing again is fine', async () => {
  const other = await openDatabase(db.config, { log: silentLog, ...(db.mode === 'embedded' ? { memory: true } : {}) })
  await other.close()
  await other.close()
  await expect(other.tx(system, async () => {})).rejects.toMatchObject({ code: 'UNAVAILABLE' })
})
