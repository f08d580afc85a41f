import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, rmSync, statSync, utimesSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { createRecords } from '@story-portal/shared/data'
import {
  type Db,
  dumpFailure,
  listDumps,
  migrate,
  openDatabase,
  restoreHome,
  startDailyDumps,
  type TenantScope,
  verifyDump,
} from '@story-portal/shared/db'
import { sql } from 'kysely'
import { afterAll, expect, test } from 'vitest'
import { silentLog, testConfig } from '../../shared/testing/test-config.ts'
import { descendants, isAlive } from '../../tools/cli/processes.ts'

const LOCAL: TenantScope = { kind: 'tenant', tenant_id: 'local', subject: 'user:local', source: 'test' }
const folders: string[] = []
afterAll(() => {
  for (const dir of folders) rmSync(dir, { recursive: true, force: true })
})

/** A home that has had no dump for two days. */
async function agedHome(goals: number): Promise<string> {
  const home = mkdtempSync(path.join(os.tmpdir(), 'story-portal-daily-'))
  folders.push(home)
  const db = await open(home)
  await migrate(db)
  const many = Array.from({ length: goals }, (_, i) => ({ title: `goal ${i}`, description: 'text '.repeat(100) }))
  await db.tx(LOCAL, (tx) => createRecords(tx, 'goal', many))
  await db.close()
  const before = new Date(Date.now() - 48 * 3_600_000)
  utimesSync(path.join(home, 'db', 'PG_VERSION'), before, before)
  return home
}

const open = (home: string): Promise<Db> => openDatabase(testConfig({ STORY_PORTAL_HOME: home }), { log: silentLog })

async function untilDumped(home: string): Promise<string> {
  for (;;) {
    const [dump] = listDumps(home)
    if (dump) return dump.file
    const failure = dumpFailure(home)
    if (failure) throw new Error(failure.reason)
    await sleep(20)
  }
}

test('the daily dump is one moment of a database that goes on working meanwhile', async () => {
  const home = await agedHome(2_000)
  const db = await open(home)
  const acknowledged: { title: string; at: number }[] = []
  let writing = true
  const writer = async () => {
    while (writing) {
      const title = `written ${acknowledged.length}`
      await db.tx(LOCAL, (tx) => createRecords(tx, 'goal', [{ title }]))
      acknowledged.push({ title, at: Date.now() })
    }
  }
  const written = writer()
  while (acknowledged.length < 20) await sleep(5)
  const begun = acknowledged.length
  const dumps = startDailyDumps(db, silentLog, 0)
  const file = await untilDumped(home)
  writing = false
  await written
  await dumps.stop()

  const { header, rows } = await verifyDump(file)
  const between = acknowledged.filter(({ at }) => at > Date.parse(header.made_at) && at < statSync(file).mtimeMs)
  expect(between.length).toBeGreaterThan(10)

  // Not due again: a second keeper finds nothing to do.
  const again = startDailyDumps(db, silentLog, 0)
  await sleep(200)
  await again.stop()
  await db.close()
  expect(readdirSync(path.join(home, 'dumps'))).toEqual([path.basename(file)])

  const elsewhere = path.join(home, 'elsewhere')
  const config = testConfig({ STORY_PORTAL_HOME: elsewhere })
  expect(await restoreHome(config, { log: silentLog, file })).toMatchObject({ rows })
  const copy = await open(elsewhere)
  const found = await copy.tx(LOCAL, (tx) =>
    sql<{ title: string; events: number }>`
      select g.title, (select count(*)::int from core.events e where e.stream = 'goal/' || g.id) as events
      from core.goals g where g.title like 'written %' order by g.created_at, g.id`.execute(tx),
  )
  await copy.close()
  const titles = found.rows.map(({ title }) => title)
  expect(titles.length).toBeGreaterThanOrEqual(begun)
  expect(titles.sort()).toEqual(
    acknowledged
      .slice(0, titles.length)
      .map(({ title }) => title)
      .sort(),
  )
  expect(found.rows.every(({ events }) => events === 1)).toBe(true)
})

test('a platform killed while its dump is written leaves no process, and the next dump clears up', async () => {
  const home = await agedHome(4_000)
  const program = fileURLToPath(new URL('fixtures/daily-dump.ts', import.meta.url))
  const platform = spawn(process.execPath, [program, home], { stdio: 'ignore' })
  const gone = new Promise((resolve) => platform.once('exit', resolve))
  const part = () => existsSync(path.join(home, 'dumps')) && readdirSync(path.join(home, 'dumps')).some(isPart)
  while (!part()) await sleep(5)
  const writers = descendants(platform.pid ?? 0)
  expect(writers).toHaveLength(1)
  platform.kill('SIGKILL')
  await gone
  await expect.poll(() => writers.filter(isAlive)).toEqual([])
  expect(listDumps(home)).toEqual([])

  const db = await open(home)
  const dumps = startDailyDumps(db, silentLog, 0)
  const file = await untilDumped(home)
  await dumps.stop()
  await db.close()
  expect((await verifyDump(file)).rows).toBeGreaterThan(8_000)
  expect(readdirSync(path.join(home, 'dumps'))).toEqual([path.basename(file)])
})

const isPart = (name: string) => name.endsWith('.part')
