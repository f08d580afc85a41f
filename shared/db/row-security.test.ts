import { sql } from 'kysely'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type TestDatabase, testDatabase, testTenant } from '../testing/database.ts'
import { type Tx, tenantTable } from './index.ts'

let db: TestDatabase
const owner = { kind: 'owner' } as const
const system = { kind: 'system', name: 'test' } as const

beforeAll(async () => {
  db = await testDatabase()
  await db.tx(owner, async (tx) => {
    await sql`create schema rls_test`.execute(tx)
    await sql`grant usage on schema rls_test to story_portal_app, story_portal_system`.execute(tx)
    await sql`create table rls_test.notes (tenant_id text not null, id text not null, primary key (tenant_id, id))`.execute(
      tx,
    )
    await tenantTable(tx, 'rls_test.notes')
  })
})
afterAll(() => db.close())

interface TenantTable {
  schema: string
  name: string
  enabled: boolean
  forced: boolean
}

/** Every table of ours that has a tenant_id, whoever made it. */
function tenantTables(): Promise<TenantTable[]> {
  return db.tx(owner, async (tx) => {
    const { rows } = await sql<TenantTable>`
      select c.relnamespace::regnamespace::text as schema, c.relname as name,
        c.relrowsecurity as enabled, c.relforcerowsecurity as forced
      from information_schema.columns i
      join pg_class c on c.relname = i.table_name and c.relnamespace = i.table_schema::regnamespace
      where i.column_name = 'tenant_id' and c.relkind in ('r', 'p') and i.table_schema not like 'pg\\_%'
      order by 1, 2`.execute(tx)
    return rows
  })
}

const countIn = async (tx: Tx, table: TenantTable) =>
  Number(
    (await sql<{ n: string }>`select count(*) as n from ${sql.id(table.schema, table.name)}`.execute(tx)).rows[0]?.n,
  )

/** Row-level security is about rows: what a row must hold besides (not null, references, triggers) is left out for this session. */
async function addRow(tx: Tx, table: TenantTable, tenant: string): Promise<void> {
  await sql`set local session_replication_role = replica`.execute(tx)
  const { rows } = await sql<{ name: string; type: string }>`
    select a.attname as name, format_type(a.atttypid, a.atttypmod) as type from pg_attribute a
    left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
    where a.attrelid = ${`${table.schema}.${table.name}`}::regclass and a.attnum > 0 and a.attnotnull and not a.attisdropped
      and d.oid is null and a.attidentity = '' and a.attgenerated = '' and a.attname <> 'tenant_id'`.execute(tx)
  const columns = [sql.id('tenant_id'), ...rows.map((row) => sql.id(row.name))]
  const values = [sql`${tenant}`, ...rows.map((row) => sql`${sample(row.type)}::${sql.raw(row.type)}`)]
  await dropChecks(tx, table)
  await sql`insert into ${sql.id(table.schema, table.name)} (${sql.join(columns)}) values (${sql.join(values)})`.execute(
    tx,
  )
}

async function dropChecks(tx: Tx, table: TenantTable): Promise<void> {
  const { rows } = await sql<{ name: string }>`
    select conname as name from pg_constraint
    where conrelid = ${`${table.schema}.${table.name}`}::regclass and contype = 'c'`.execute(tx)
  for (const { name } of rows) {
    await sql`alter table ${sql.id(table.schema, table.name)} drop constraint ${sql.id(name)}`.execute(tx)
  }
}

function sample(type: string): string {
  if (/^(timestamp|date)/.test(type)) return '2026-11-23'
  if (/^json/.test(type)) return '{}'
  if (/\[\]$/.test(type)) return '{}'
  if (type === 'bytea') return '\\x00'
  if (type === 'boolean') return 'true'
  return type.startsWith('text') || type.startsWith('character') ? 'x' : '1'
}

class Undone extends Error {}

test('every table with a tenant_id shows another tenant nothing, its own tenant its row, the system role all', async () => {
  const tables = await tenantTables()
  expect(tables.length).toBeGreaterThan(10)
  expect(tables.filter((table) => !table.enabled || !table.forced)).toEqual([])
  for (const table of tables) {
    const mine = testTenant().tenant_id
    const attempt = db.tx(owner, async (tx) => {
      await addRow(tx, table, mine)
      await sql`set local role story_portal_app`.execute(tx)
      await sql`select set_config('app.tenant', ${mine}, true)`.execute(tx)
      expect(await countIn(tx, table), `${table.name} as its own tenant`).toBe(1)
      await sql`select set_config('app.tenant', 'somebody_else', true)`.execute(tx)
      expect(await countIn(tx, table), `${table.name} as another tenant`).toBe(0)
      await sql`select set_config('app.tenant', '', true)`.execute(tx)
      expect(await countIn(tx, table), `${table.name} without a tenant`).toBe(0)
      await sql`set local role story_portal_system`.execute(tx)
      expect(await countIn(tx, table), `${table.name} as the system`).toBeGreaterThan(0)
      throw new Undone()
    })
    await expect(attempt, table.name).rejects.toBeInstanceOf(Undone)
  }
})

test('every primary, unique and foreign key of tenant data starts with tenant_id', async () => {
  const { rows } = await db.tx(owner, (tx) =>
    sql<{ key: string; first: string }>`
      select format('%s %s', i.indrelid::regclass, i.indexrelid::regclass) as key, a.attname as first
      from pg_index i
      join pg_attribute t on t.attrelid = i.indrelid and t.attname = 'tenant_id'
      join pg_class c on c.oid = i.indrelid and c.relkind in ('r', 'p') and c.relnamespace::regnamespace::text not like 'pg\\_%'
      left join pg_attribute a on a.attrelid = i.indrelid and a.attnum = i.indkey[0]
      where i.indisunique`.execute(tx),
  )
  // A position is given out once for all tenants: that is what followers resume by.
  const exempt = ['position']
  expect(rows.filter((row) => row.first !== 'tenant_id' && !exempt.includes(row.first))).toEqual([])
  const foreign = await db.tx(owner, (tx) =>
    sql<{ key: string; first: string }>`
      select k.conname as key, a.attname as first from pg_constraint k
      join pg_attribute t on t.attrelid = k.conrelid and t.attname = 'tenant_id'
      join pg_attribute a on a.attrelid = k.conrelid and a.attnum = k.conkey[1]
      where k.contype = 'f' and k.connamespace::regnamespace::text not like 'pg\\_%'`.execute(tx),
  )
  expect(foreign.rows.filter((row) => row.first !== 'tenant_id')).toEqual([])
})

test('a row for another tenant can not be written, nor a row given to another tenant', async () => {
  const tenant = testTenant()
  const insert = (tx: Tx, id: string) => sql`insert into rls_test.notes values (${id}, 'n')`.execute(tx)
  await expect(db.tx(tenant, (tx) => insert(tx, 'other'))).rejects.toMatchObject({ code: '42501' })
  await db.tx(tenant, (tx) => insert(tx, tenant.tenant_id))
  const give = db.tx(tenant, (tx) => sql`update rls_test.notes set tenant_id = 'other'`.execute(tx))
  await expect(give).rejects.toMatchObject({ code: '42501' })
  const stolen = await db.tx(testTenant(), (tx) => sql`delete from rls_test.notes`.execute(tx))
  expect(stolen.numAffectedRows).toBe(0n)
})

test('the application role reads its own tenant only and not the secret of the installation', async () => {
  const { rows } = await db.tx({ ...testTenant(), tenant_id: 'local' }, (tx) =>
    sql`select tenant_id from core.tenants`.execute(tx),
  )
  expect(rows).toEqual([{ tenant_id: 'local' }])
  const secret = db.tx(testTenant(), (tx) => sql`select secret from core.installation`.execute(tx))
  await expect(secret).rejects.toMatchObject({ code: '42501' })
  const count = await db.tx(system, (tx) => sql`select 1 from core.installation`.execute(tx))
  expect(count.rows).toHaveLength(1)
})
