import { readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { sql } from 'kysely'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createRecord, getRecord, rebuildRecord, updateRecord } from '../../data/index.ts'
import { appendEvents, listEvents } from '../../events/index.ts'
import { emptyDatabase, type TestDatabase, testDatabase, testTenant } from '../../testing/database.ts'
import { internalsOf, loadDump, migrate, type Tx, verifyDump, writeDump } from '../index.ts'

const scope = testTenant()
let db: TestDatabase
let dir: string
let file: string
let goal: string

beforeAll(async () => {
  db = await testDatabase()
  dir = await mkdtemp(path.join(os.tmpdir(), 'story-portal-dump-'))
  file = path.join(dir, 'whole.dump')
  goal = await db.tx(scope, async (tx) => {
    const { id } = await createRecord(tx, 'goal', {
      title: 'Quotes " and \\ and\nlines',
      constraints: { n: 1.5e-7, s: 'é\u2028' },
    })
    const first = await createRecord(tx, 'agent', { name: 'a', status: 'created' })
    await createRecord(tx, 'session', { agent_id: first.id, last_heartbeat_at: '2026-11-25T01:02:03.004Z' })
    return id
  })
  await db.tx(scope, (tx) => updateRecord(tx, 'goal', goal, { status: 'active' }))
  const many = Array.from({ length: 1_000 }, (_, i) => ({ stream: `s/${i % 7}`, type: 'note.added', data: { i } }))
  await db.tx(scope, (tx) => appendEvents(tx, many))
  await writeDump(db, file)
})
afterAll(async () => {
  await db.close()
  await rm(dir, { recursive: true, force: true })
})

async function everything(source: TestDatabase) {
  return await source.tx(scope, async (tx) => ({
    record: await getRecord(tx, 'goal', goal),
    rebuilt: await rebuildRecord(tx, 'goal', goal),
    streams: (await sql`select * from core.streams order by stream collate "C"`.execute(tx)).rows,
    events: (await sql`select * from core.events order by position`.execute(tx)).rows,
    sessions: (await sql`select * from core.sessions`.execute(tx)).rows,
  }))
}

test('a dump loaded elsewhere is the same database, and goes on after its last position', async () => {
  const copy = await emptyDatabase()
  const loaded = await loadDump(copy, file)
  expect(loaded.rows).toBeGreaterThan(1_010)
  const before = await everything(db)
  expect(await everything(copy)).toEqual(before)
  const [event] = await copy.tx(scope, (tx) => appendEvents(tx, [{ stream: 's/0', type: 'note.added', data: null }]))
  expect(Number(event?.position)).toBeGreaterThan(
    Number(before.events.at(-1) && (before.events.at(-1) as { position: string }).position),
  )
  // What guards changes is back: history can not be rewritten, states are checked, rows of others are not seen.
  await expect(copy.tx(scope, (tx) => sql`update core.events set type = 'x'`.execute(tx))).rejects.toMatchObject({
    code: expect.any(String),
  })
  await expect(
    copy.tx(scope, (tx) => sql`update core.goals set status = 'pending' where id = ${goal}`.execute(tx)),
  ).rejects.toMatchObject({ number: 'E0013' })
  const others = await copy.tx(testTenant(), (tx) => sql`select * from core.goals`.execute(tx))
  expect(others.rows).toEqual([])
  await copy.close()
})

test('a dump of an older schema is brought forward', async () => {
  const all = Object.keys(await import('../migrations.ts').then(({ loadMigrations }) => loadMigrations()))
  const old = await emptyDatabase()
  await migrate(old, { only: all.filter((name) => name < '20261125') })
  // The queue's tables are made by the version that is installed, whatever version the dump is of.
  await old.tx({ kind: 'owner' }, (tx) => sql`update pgboss.version set version = 1`.execute(tx))
  const oldFile = path.join(dir, 'old.dump')
  await writeDump(old, oldFile)
  await old.close()
  expect((await verifyDump(oldFile)).header.migrations.every((name) => name < '20261125')).toBe(true)
  const now = await emptyDatabase()
  await loadDump(now, oldFile)
  expect((await now.health()).migrations.pending).toEqual([])
  const queue = await now.tx({ kind: 'owner' }, (tx) =>
    sql<{ version: number }>`select version from pgboss.version`.execute(tx),
  )
  expect(queue.rows[0]?.version).toBeGreaterThan(1)
  await now.close()
})

test.each([
  ['another event', (tx: Tx) => appendEvents(tx, [{ stream: 's/0', type: 'note.added', data: null }])],
  ['another row under the same last position', (tx: Tx) => sql`update core.agents set name = 'b'`.execute(tx)],
])('a database with %s is not filled', async (_, change) => {
  const used = await emptyDatabase()
  await loadDump(used, file)
  await used.tx<unknown>(scope, change)
  const before = await everything(used)
  await expect(loadDump(used, file)).rejects.toMatchObject({ number: 'E0126' })
  expect(await everything(used)).toEqual(before)
  await used.close()
})

test.each([
  ['cut off', (copy: string) => truncateSync(copy, Math.floor(statSync(copy).size / 2))],
  ['with a flipped bit', (copy: string) => flip(copy, 0.7)],
  ['with a flipped bit near its end', (copy: string) => flip(copy, 0.999)],
  ['that is no dump', (copy: string) => writeFileSync(copy, 'select 1;')],
  ['that is empty', (copy: string) => writeFileSync(copy, '')],
])('a file %s is refused before anything changes', async (_, harm) => {
  const copy = path.join(dir, 'harmed.dump')
  writeFileSync(copy, readFileSync(file))
  harm(copy)
  const target = await emptyDatabase()
  await expect(loadDump(target, copy)).rejects.toMatchObject({ number: 'E0124' })
  expect((await target.health()).migrations.applied).toBe(0)
  await target.close()
})

function flip(copy: string, where: number): void {
  const bytes = readFileSync(copy)
  const at = Math.floor(bytes.length * where)
  bytes[at] = (bytes[at] ?? 0) ^ 8
  writeFileSync(copy, bytes)
}

test('a place that can not be written to leaves no half file and says so', async () => {
  const blocked = path.join(dir, 'whole.dump', 'below-a-file.dump')
  await expect(writeDump(db, blocked)).rejects.toMatchObject({ number: 'E0125' })
  expect(internalsOf(db).home).toBeUndefined()
})

test('a load that was killed between its sequences and its commit is made again', async () => {
  const target = await emptyDatabase()
  await migrate(target)
  // What such a load leaves: a sequence is not rolled back.
  await target.tx({ kind: 'owner' }, (tx) => sql`select setval('core.events_position'::regclass, 7)`.execute(tx))
  expect(await loadDump(target, file)).toMatchObject({ already: false })
  expect(await everything(target)).toEqual(await everything(db))
  await target.close()
})

test('loading twice into one database changes nothing the second time, and says that it is there', async () => {
  const copy = await emptyDatabase()
  const first = await loadDump(copy, file)
  expect(await loadDump(copy, file)).toEqual({ ...first, already: true })
  // The owner is held to row-level security again.
  const open = await copy.tx({ kind: 'owner' }, (tx) =>
    sql`select 1 from pg_class where oid = 'core.goals'::regclass and not relforcerowsecurity`.execute(tx),
  )
  expect(open.rows).toEqual([])
  expect(await everything(copy)).toEqual(await everything(db))
  await copy.close()
})

// listEvents is what tools read through: the copy must answer it alike.
test('reading through the log gives the same pages', async () => {
  const copy = await emptyDatabase()
  await loadDump(copy, file)
  const page = (source: TestDatabase) => source.tx(scope, (tx) => listEvents(tx, { limit: 50 }))
  expect(await page(copy)).toEqual(await page(db))
  await copy.close()
})
