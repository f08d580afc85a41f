import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { type Db, migrate, migrationNames, openDatabase } from '@story-portal/shared/db'
import { sql } from 'kysely'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { silentLog, testConfig } from '../../shared/testing/test-config.ts'

const WRITER = fileURLToPath(new URL('fixtures/embedded-writer.ts', import.meta.url))
const owner = { kind: 'owner' } as const

let home: string
const children: ChildProcess[] = []
const open: Db[] = []

beforeEach(() => {
  home = path.join(mkdtempSync(path.join(tmpdir(), 'story-portal-home-')), 'home')
})
afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL')
  for (const db of open.splice(0)) await db.close()
  rmSync(path.dirname(home), { recursive: true, force: true })
})

async function openHome(): Promise<Db> {
  const db = await openDatabase(testConfig({ STORY_PORTAL_HOME: home }), { log: silentLog })
  open.push(db)
  return db
}

async function prepare(): Promise<void> {
  const db = await openHome()
  await migrate(db)
  await db.tx(owner, async (tx) => {
    await sql`create table public.acknowledged (n int primary key, text text not null)`.execute(tx)
    await sql`create table public.total (n int not null)`.execute(tx)
    await sql`insert into public.total values (0)`.execute(tx)
    await sql`grant all on all tables in schema public to story_portal_system`.execute(tx)
  })
  await db.close()
}

/** Starts a writer; `lines` fills while it writes. */
function writer(first = 1): {
  child: ChildProcess
  lines: string[]
  line(wanted: (text: string) => boolean): Promise<string>
} {
  const child = spawn(process.execPath, [WRITER, home, String(first)], { stdio: ['ignore', 'pipe', 'inherit'] })
  children.push(child)
  const lines: string[] = []
  const reader = createInterface({ input: child.stdout })
  reader.on('line', (text) => lines.push(text))
  return {
    child,
    lines,
    async line(wanted) {
      for (;;) {
        const found = lines.find(wanted)
        if (found !== undefined) return found
        await once(reader, 'line')
      }
    },
  }
}

async function kill(child: ChildProcess): Promise<void> {
  child.kill('SIGKILL')
  await once(child, 'close')
}

async function stored(): Promise<{ numbers: number[]; total: number }> {
  const db = await openHome()
  try {
    return await db.tx(owner, async (tx) => {
      const rows = await sql<{ n: number }>`select n from public.acknowledged order by n`.execute(tx)
      const total = await sql<{ n: number }>`select n from public.total`.execute(tx)
      return { numbers: rows.rows.map((row) => row.n), total: total.rows[0]?.n ?? -1 }
    })
  } finally {
    await db.close()
  }
}

test('a second process on the same directory is told who holds it, and the first loses nothing', async () => {
  await prepare()
  const first = writer()
  await first.line((text) => text === '20')
  const second = writer(1_000_000)
  const refusal = JSON.parse(await second.line((text) => text.startsWith('{')))
  expect(refusal).toMatchObject({
    number: 'E0114',
    message: expect.stringContaining(`process ${first.child.pid} `),
    hint: expect.stringContaining('story-portal down'),
  })
  const reached = Number(first.lines.at(-1))
  await first.line((text) => Number(text) > reached + 20)
  await kill(first.child)
  const { numbers, total } = await stored()
  const acknowledged = first.lines.slice(1).map(Number)
  expect(numbers.slice(0, acknowledged.length)).toEqual(acknowledged)
  expect(numbers.every((n) => n < 1_000_000)).toBe(true)
  expect(total).toBe(numbers.length)
})

test('kill -9 while writing, five times: no acknowledged row is lost, nothing is half done', async () => {
  await prepare()
  let next = 1
  for (let round = 0; round < 5; round++) {
    const process = writer(next)
    await process.line((text) => Number(text) >= next + 10 + round * 17)
    await kill(process.child)
    const acknowledged = Number(process.lines.at(-1))
    const { numbers, total } = await stored()
    expect(numbers).toEqual(Array.from({ length: numbers.length }, (_, i) => i + 1))
    // The one in flight when the kill came may have been committed without being acknowledged.
    expect([acknowledged, acknowledged + 1]).toContain(numbers.length)
    expect(total).toBe(numbers.length)
    next = numbers.length + 1
  }
})

test('a start that is cut off while the directory is made leaves nothing that the next start trips over', async () => {
  mkdirSync(path.join(home, 'db.new'), { recursive: true })
  writeFileSync(path.join(home, 'db.new', 'PG_VERSION'), '18\n')
  const db = await openHome()
  expect((await db.health()).ok).toBe(true)
  expect(readdirSync(home).sort()).toEqual(['db', 'db.lock'])
})

test('a directory of a newer version, or of another PostgreSQL, is refused and left as it is', async () => {
  await prepare()
  const manifest = path.join(home, 'manifest.json')
  const good = readFileSync(manifest, 'utf8')
  expect(JSON.parse(good)).toMatchObject({
    pglite: expect.stringMatching(/^\d/),
    postgres_major: '18',
    schema_version: migrationNames().at(-1),
  })
  const change = (part: object) => writeFileSync(manifest, JSON.stringify({ ...JSON.parse(good), ...part }))

  change({ pglite: '99.0.0' })
  await expect(openHome()).rejects.toMatchObject({ number: 'E0113', message: expect.stringContaining('99.0.0') })
  change({ migrations: ['299912310000_future_thing'] })
  await expect(openHome()).rejects.toMatchObject({
    number: 'E0113',
    hint: expect.stringContaining('STORY_PORTAL_HOME'),
  })
  writeFileSync(manifest, good)
  const version = path.join(home, 'db', 'PG_VERSION')
  writeFileSync(version, '19\n')
  await expect(openHome()).rejects.toMatchObject({
    number: 'E0116',
    hint: expect.stringContaining('story-portal upgrade'),
  })
  writeFileSync(version, '18\n')
  change({ postgres_major: '17' })
  await expect(openHome()).rejects.toMatchObject({ number: 'E0116', message: expect.stringContaining('PostgreSQL 17') })
  writeFileSync(manifest, good)
  expect((await stored()).total).toBe(0)
})

test('a manifest that can not be read is no obstacle: the database knows its migrations', async () => {
  await prepare()
  writeFileSync(path.join(home, 'manifest.json'), '{ cut')
  expect((await stored()).total).toBe(0)
})

test('a directory that can not be written is said so, with the reason', async () => {
  const parent = path.dirname(home)
  // A file where the directory should be: no right can make this writable, also not root's.
  writeFileSync(home, '')
  await expect(openHome()).rejects.toMatchObject({ number: 'E0115', message: expect.stringMatching(/EEXIST|ENOTDIR/) })
  rmSync(home)
  chmodSync(parent, 0o700)
  expect((await (await openHome()).health()).ok).toBe(true)
})
