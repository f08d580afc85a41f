import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { sql } from 'kysely'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { emptyDatabase, silentLog, type TestDatabase, testDatabase } from '../testing/database.ts'
import { installationKey, internalsOf, migrate, migrationNames, openDatabase } from './index.ts'

let db: TestDatabase
let dir: string
const owner = { kind: 'owner' } as const

beforeEach(async () => {
  dir = mkdtempSync(path.join(tmpdir(), 'story-portal-migrations-'))
  db = await emptyDatabase()
})
afterEach(async () => {
  await db.close()
  rmSync(dir, { recursive: true, force: true })
})

let files = 0

/** Under a number that was never imported before: Node loads a module once. */
function add(stamp: number, body: string): string {
  files += 1
  const name = `${202600000000 + stamp}_test_m${process.pid}_${files}`
  writeFileSync(path.join(dir, `${name}.ts`), `export async function up(db) { ${body} }\n`)
  return name
}

const create = (table: string) => `await db.schema.createTable('${table}').addColumn('id', 'integer').execute()`

async function tables(): Promise<string[]> {
  const { rows } = await db.tx(owner, (tx) =>
    sql<{ name: string }>`select tablename as name from pg_tables where schemaname = 'public' order by 1`.execute(tx),
  )
  return rows.map((row) => row.name)
}

test('all migrations of the clone apply to an empty database, once, and health says so', async () => {
  expect((await db.health()).migrations).toEqual({ applied: 0, pending: migrationNames() })
  expect((await migrate(db)).applied).toEqual(migrationNames())
  expect((await migrate(db)).applied).toEqual([])
  expect((await db.health()).migrations).toEqual({ applied: migrationNames().length, pending: [] })
  const key = await installationKey(db, 'cursor')
  expect(key).toHaveLength(32)
  expect(await installationKey(db, 'cursor')).toEqual(key)
  expect(await installationKey(db, 'other')).not.toEqual(key)
})

test('a database that was never migrated is said so, with the command that does it', async () => {
  const attempt = db.tx({ kind: 'system', name: 'test' }, (tx) => sql`select * from core.tenants`.execute(tx))
  await expect(attempt).rejects.toMatchObject({ number: 'E0112', hint: 'Run "story-portal migrate".' })
})

test('four migrators at once apply each migration once', async () => {
  add(1, create('first'))
  add(2, `await db.schema.alterTable('first').addColumn('more', 'text').execute()`)
  add(3, create('third'))
  const results = await Promise.all([1, 2, 3, 4].map(() => migrate(db, { dir })))
  expect(results.flatMap((result) => result.applied)).toHaveLength(3)
  expect(await tables()).toEqual(['first', 'third'])
})

test('a migration that fails leaves the database as it was before it; those before it stay', async () => {
  add(1, create('kept'))
  const bad = add(2, `${create('undone')}; await db.schema.dropTable('nothing_here').execute()`)
  await expect(migrate(db, { dir })).rejects.toMatchObject({ number: 'E0118', message: expect.stringContaining(bad) })
  expect(await tables()).toEqual(['kept'])
  rmSync(path.join(dir, `${bad}.ts`))
  const good = add(2, create('third'))
  expect((await migrate(db, { dir })).applied).toEqual([good])
})

test('a migration from another branch, older by its stamp, still applies', async () => {
  add(5, create('late'))
  await migrate(db, { dir })
  const older = add(1, create('early'))
  expect((await migrate(db, { dir })).applied).toEqual([older])
})

test('a migration in the database that the code does not know means a newer version: refused', async () => {
  const newer = add(9, create('from_the_future'))
  add(1, create('known'))
  await migrate(db, { dir })
  rmSync(path.join(dir, `${newer}.ts`))
  await expect(migrate(db, { dir })).rejects.toMatchObject({ number: 'E0113', message: expect.stringContaining(newer) })
})

test('a migration may take longer than an ordinary query', async () => {
  const patient = await testDatabase({
    STORY_PORTAL_DB_MAX_QUERY_MS: '400',
    STORY_PORTAL_DB_STATEMENT_TIMEOUT_MS: '400',
  })
  try {
    for (const name of migrationNames()) writeFileSync(path.join(dir, `${name}.ts`), 'export async function up() {}')
    const slow = path.join(dir, `299900000000_test_slow_${process.pid}.ts`)
    const sleep = `await db.selectNoFrom((e) => e.fn('pg_sleep', [e.lit(4)]).as('x')).execute()`
    writeFileSync(slow, `export async function up(db) { ${sleep} }\n`)
    expect((await migrate(patient, { dir })).applied).toHaveLength(1)
    expect(patient.mode === 'embedded' ? internalsOf(patient).restarts() : 0).toBe(0)
  } finally {
    await patient.close()
  }
})

test('another login gets the roles, and works without owning anything', async () => {
  if (db.mode === 'embedded') {
    // There is one user in PGlite, and it owns everything.
    expect(db.config.db.url).toBeUndefined()
    return
  }
  const login = `sp_login_${process.pid}`
  await db.tx(owner, (tx) => sql.raw(`create role ${login} login password 'x'`).execute(tx))
  const url = new URL(db.config.db.url ?? '')
  const admin = url.href
  url.username = login
  url.password = 'x'
  const config = { ...db.config, db: { ...db.config.db, url: url.href, migrationUrl: admin } }
  const app = await openDatabase(config, { log: silentLog })
  try {
    await migrate(app)
    const tenant = { kind: 'tenant', tenant_id: 'local', subject: 'user:test' } as const
    const { rows } = await app.tx(tenant, (tx) => sql`select tenant_id from core.tenants`.execute(tx))
    expect(rows).toEqual([{ tenant_id: 'local' }])
    expect((await app.health()).migrations.pending).toEqual([])
    const attempt = app.raw.schema.createTable('core.intruder').addColumn('id', 'integer').execute()
    await expect(attempt).rejects.toMatchObject({ code: '42501' })
  } finally {
    await app.close()
    await db.tx(owner, (tx) => sql.raw(`drop owned by ${login}; drop role ${login}`).execute(tx))
  }
})
