import { CompiledQuery, sql } from 'kysely'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type TestDatabase, testDatabase } from '../testing/database.ts'
import type { Tx } from './index.ts'

let db: TestDatabase
const system = { kind: 'system', name: 'test' } as const

beforeAll(async () => {
  db = await testDatabase()
  await db.tx({ kind: 'owner' }, async (tx) => {
    await sql`create schema trips`.execute(tx)
    await sql`create table trips.notes (id int primary key, text text not null)`.execute(tx)
    await sql`grant usage on schema trips to story_portal_app, story_portal_system`.execute(tx)
    await sql`grant all on all tables in schema trips to story_portal_app, story_portal_system`.execute(tx)
  })
})
afterAll(() => db.close())

const write = (tx: Tx, id: number) => sql`insert into trips.notes (id, text) values (${id}, 'x')`.execute(tx)
const all = (tx: Tx, from: number) => sql`select * from trips.notes where id >= ${from} order by id`.execute(tx)

test('a transaction that can not begin carries out none of its statements', async () => {
  const scope = { kind: 'tenant', tenant_id: 'a\0b', subject: 'user:test' } as const
  await expect(db.tx(scope, (tx) => write(tx, 1))).rejects.toThrow('U+0000')
  const huge = { kind: 'tenant', tenant_id: "'); drop table trips.notes; --\\", subject: 'user:test' } as const
  await db.tx(huge, (tx) => write(tx, 2))
  expect((await db.tx(system, (tx) => all(tx, 0))).rows).toEqual([{ id: 2, text: 'x' }])
})

test('what goes out with COMMIT fails the whole transaction with its own error', async () => {
  const dying = (tx: Tx) =>
    tx.withCommit(() => CompiledQuery.raw('insert into trips.notes (id, text) values ($1, null)', [21]))
  const attempt = db.tx(system, async (tx) => {
    dying(tx)
    await write(tx, 20)
  })
  await expect(attempt).rejects.toMatchObject({ code: 'INVALID_INPUT' })
  expect((await db.tx(system, (tx) => all(tx, 20))).rows).toEqual([])
})

test('a statement that is kept planned notices that its table has changed', async () => {
  const before = async () => (await db.tx(system, (tx) => all(tx, 100))).rows
  await db.tx(system, (tx) => write(tx, 100))
  for (let i = 0; i < 20; i++) expect(await before()).toEqual([{ id: 100, text: 'x' }])
  await db.tx({ kind: 'owner' }, (tx) => sql`alter table trips.notes add column seen bool default true`.execute(tx))
  for (let i = 0; i < 20; i++) expect(await before()).toEqual([{ id: 100, text: 'x', seen: true }])
})
