import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { copyFileSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { createRecords } from '@story-portal/shared/data'
import {
  type Db,
  listDumps,
  migrate,
  migrationNames,
  openDatabase,
  type TenantScope,
  takeDump,
  verifyDump,
} from '@story-portal/shared/db'
import { sql } from 'kysely'
import pg from 'pg'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { startPostgres, type TestPostgres } from '../../shared/testing/postgres.ts'
import { silentLog, testConfig } from '../../shared/testing/test-config.ts'
import { root, type UnderTest, underTest } from '../e2e/under-test.ts'

const OLD = fileURLToPath(new URL('fixtures/first-release.dump', import.meta.url))
const LOCAL: TenantScope = { kind: 'tenant', tenant_id: 'local', subject: 'user:local', source: 'test' }

let platforms: UnderTest[] = []
afterEach(async () => {
  await Promise.all(platforms.map((it) => it.dispose()))
  platforms = []
})

async function home(settings: Record<string, string> = {}): Promise<UnderTest> {
  const it = await underTest(settings)
  platforms.push(it)
  return it
}

/** Works on the embedded database of a home whose platform is stopped. */
async function inside<T>(dir: string, use: (db: Db) => Promise<T>): Promise<T> {
  const db = await openDatabase(testConfig({ STORY_PORTAL_HOME: dir }), { log: silentLog })
  try {
    return await use(db)
  } finally {
    await db.close()
  }
}

async function fillUp(db: Db, count: number): Promise<void> {
  for (let i = 0; i < count; i += 1_000) {
    const some = Array.from({ length: 1_000 }, (_, n) => ({ title: `goal ${i + n}`, description: `"${i}" \\ é` }))
    await db.tx(LOCAL, (tx) => createRecords(tx, 'goal', some))
  }
}

const call = async (it: UnderTest, server: string, tool: string, args: object) => {
  const { code, json, stderr } = await it.cli('call', server, tool, JSON.stringify(args), '--json')
  if (code !== 0) throw new Error(`${server}.${tool}: ${stderr || JSON.stringify(json)}`)
  return json
}

test('an old dump opens: restored, brought forward, and read through the tools', async () => {
  const it = await home()
  const restored = await it.cli('restore', OLD, '--json')
  expect(restored).toMatchObject({ code: 0, json: { upgraded: true, rows: 102 } })
  expect((await it.cli('up', '--quiet')).code).toBe(0)
  const { items } = await call(it, 'data', 'list_records', { kind: 'goal' })
  expect(items).toMatchObject([{ title: 'Kept since the first release', status: 'active', version: 2 }])
  const history = await call(it, 'data', 'get_record_history', { kind: 'goal', id: items[0].id })
  expect(history.items.map((entry: { version: number }) => entry.version)).toEqual([1, 2])
  expect((await call(it, 'data', 'list_events', { stream: 'notes/1' })).items[0].data).toEqual({ text: 'first' })
  const { event } = await call(it, 'data', 'append_event', { stream: 'notes/1', type: 'note.added', data: {} })
  expect(event.version).toBe(2)
})

test('a directory of another PostgreSQL is refused with the command, upgraded from its dump, and kept', async () => {
  const it = await home()
  await inside(it.home, (db) => migrate(db))
  await inside(it.home, (db) => db.tx(LOCAL, (tx) => createRecords(tx, 'goal', [{ title: 'kept' }])))
  expect((await it.cli('dump', '--json')).code).toBe(0)
  writeFileSync(path.join(it.home, 'db', 'PG_VERSION'), '17\n')
  const refused = await it.cli('up', '--json')
  expect(refused.json.error).toMatchObject({ hint: expect.stringContaining('story-portal upgrade') })
  const upgraded = await it.cli('upgrade', '--json')
  expect(upgraded).toMatchObject({ code: 0, json: { upgraded: true, kept: expect.stringContaining('db.before-') } })
  expect(readFileSync(path.join(upgraded.json.kept, 'PG_VERSION'), 'utf8')).toBe('17\n')
  expect((await it.cli('upgrade', '--json')).json).toEqual({ upgraded: false })
  expect(await goals(it.home)).toEqual(['kept'])
})

async function goals(dir: string): Promise<string[]> {
  const { rows } = await inside(dir, (db) =>
    db.tx(LOCAL, (tx) => sql<{ title: string }>`select title from core.goals order by created_at, id`.execute(tx)),
  )
  return rows.map(({ title }) => title)
}

test('a directory without a dump is not upgraded to an empty one', async () => {
  const it = await home()
  await inside(it.home, (db) => migrate(db))
  writeFileSync(path.join(it.home, 'db', 'PG_VERSION'), '17\n')
  expect((await it.cli('upgrade', '--json')).json.error.number).toBe('E0128')
})

test('changes after the dump are not dropped unless somebody says so', async () => {
  const it = await home()
  await inside(it.home, (db) => migrate(db))
  expect((await it.cli('dump', '--json')).code).toBe(0)
  await inside(it.home, (db) => db.tx(LOCAL, (tx) => createRecords(tx, 'goal', [{ title: 'a moment later' }])))
  const [dump] = listDumps(it.home)
  // A copy, younger than all of it: what counts is when it was made.
  const file = path.join(it.home, 'copy.dump')
  copyFileSync(dump?.file ?? '', file)
  const refused = await it.cli('restore', file, '--json')
  expect(refused).toMatchObject({ code: 1, json: { error: { number: 'E0129' } } })
  expect(await goals(it.home)).toEqual(['a moment later'])
  expect((await it.cli('restore', file, '--accept-loss', '--json')).json).toMatchObject({ upgraded: true })
  expect(await goals(it.home)).toEqual([])
})

test('a commit right after a dump was begun, in the same session, counts as one that came after it', async () => {
  const it = await home()
  const file = await inside(it.home, async (db) => {
    await migrate(db)
    const dumped = await takeDump(db, it.home)
    await db.tx(LOCAL, (tx) => createRecords(tx, 'goal', [{ title: 'within the minute' }]))
    return dumped.file
  })
  expect((await it.cli('restore', file, '--json')).json.error.number).toBe('E0129')
  expect(await goals(it.home)).toEqual(['within the minute'])
})

test('a damaged dump is refused and nothing in the home changes', async () => {
  const it = await home()
  await inside(it.home, (db) => migrate(db))
  const file = path.join(it.home, 'harmed.dump')
  const bytes = readFileSync(OLD)
  const at = bytes.length >> 1
  bytes[at] = (bytes[at] ?? 0) ^ 1
  writeFileSync(file, bytes)
  const before = readdirSync(it.home).sort()
  const refused = await it.cli('restore', file, '--accept-loss', '--json')
  expect(refused).toMatchObject({ code: 1, json: { error: { number: 'E0124' } } })
  expect(readdirSync(it.home).sort()).toEqual(before)
})

test('doctor tells the schema, the newest dump, and why the last one failed', async () => {
  const it = await home()
  await inside(it.home, (db) => migrate(db))
  const dumps = async () => {
    const { json } = await it.cli('doctor', '--json')
    return json.checks.find(({ name }: { name: string }) => name === 'dumps')
  }
  expect(await dumps()).toMatchObject({ state: 'ok', detail: expect.stringContaining(migrationNames().at(-1) ?? '?') })
  expect((await it.cli('dump', '--json')).code).toBe(0)
  expect((await dumps()).detail).toMatch(/newest dump 0 h old, \d\.\d MB/)
  const failed = { at: '2026-11-25T01:02:03.004Z', reason: 'The disk is full.' }
  writeFileSync(path.join(it.home, 'dumps', 'failed.json'), JSON.stringify(failed))
  expect(await dumps()).toMatchObject({
    state: 'warning',
    detail: expect.stringContaining(failed.at),
    hint: failed.reason,
  })
})

test('a migration is preceded by a dump of the state before it', async () => {
  const it = await home()
  const before = migrationNames().filter((name) => name < '20261125')
  await inside(it.home, (db) => migrate(db, { only: before }))
  expect(listDumps(it.home)).toEqual([])
  await inside(it.home, (db) => migrate(db))
  const [dump, ...others] = listDumps(it.home)
  expect(others).toEqual([])
  expect((await verifyDump(dump?.file ?? '')).header.migrations).toEqual(before)
  await inside(it.home, (db) => migrate(db))
  expect(listDumps(it.home)).toHaveLength(1)
})

const startCli = (it: UnderTest, ...args: string[]): ChildProcess =>
  spawn(process.execPath, [path.join(root, 'tools/story-portal.js'), ...args], {
    env: it.env,
    stdio: 'ignore',
    detached: true,
  })
function kill(child: ChildProcess): void {
  try {
    process.kill(-(child.pid ?? 0), 'SIGKILL')
  } catch {
    // It had ended by itself.
  }
}
const ended = (child: ChildProcess) => new Promise<number | null>((resolve) => child.once('exit', resolve))

test('killed at any moment, a restore leaves the old database or the new one', async () => {
  const it = await home()
  await inside(it.home, async (db) => {
    await migrate(db)
    await db.tx(LOCAL, (tx) => createRecords(tx, 'goal', [{ title: 'old' }]))
  })
  const titles: string[] = []
  for (let kills = 0; kills < 5; kills++) {
    const child = startCli(it, 'restore', OLD, '--accept-loss')
    const exit = ended(child)
    // Somewhere between its start and its end: a new database takes some seconds to make and fill.
    await Promise.race([exit, sleep(700 + kills * 1_100)])
    kill(child)
    await exit
    const found = await inside(it.home, (db) =>
      db.tx(LOCAL, (tx) => sql<{ title: string }>`select title from core.goals`.execute(tx)),
    )
    expect(found.rows).toHaveLength(1)
    titles.push(found.rows[0]?.title ?? '')
  }
  // Once new, never old again.
  expect(titles.join(' ')).toMatch(/^(old ?)*(Kept since the first release ?)*$/)
  expect((await it.cli('restore', OLD, '--accept-loss', '--json')).code).toBe(0)
  expect(existsSync(path.join(it.home, 'next'))).toBe(false)
  expect(existsSync(path.join(it.home, 'swap.json'))).toBe(false)
})

test('killed at any moment, a dump leaves no half file and the older ones as they were', async () => {
  const it = await home()
  await inside(it.home, async (db) => {
    await migrate(db)
    await fillUp(db, 4_000)
  })
  const { json } = await it.cli('dump', '--json')
  const whole = async () => {
    for (const { file } of listDumps(it.home)) expect((await verifyDump(file)).rows).toBe(json.rows)
    return listDumps(it.home).length
  }
  for (let kills = 0; kills < 4; kills++) {
    const child = startCli(it, 'dump')
    const exit = ended(child)
    const part = () => readdirSync(path.join(it.home, 'dumps')).some((name) => name.endsWith('.part'))
    // In the middle for sure: a part of the file is there, and not yet all of it.
    while (child.exitCode === null && !part()) await sleep(5)
    await sleep(kills * 30)
    kill(child)
    await exit
    expect(await whole()).toBeGreaterThan(0)
  }
  expect((await it.cli('dump', '--json')).json.rows).toBe(json.rows)
  await whole()
  expect(readdirSync(path.join(it.home, 'dumps')).filter((name) => name.endsWith('.part'))).toEqual([])
})

test('of two restores at once one waits its turn by being refused', async () => {
  const it = await home()
  const both = await Promise.all([it.cli('restore', OLD, '--json'), it.cli('restore', OLD, '--json')])
  const codes = both.map(({ code }) => code).sort()
  const numbers = both.map(({ json }) => json.error?.number).filter(Boolean)
  // The second may also come when the first has finished, and then does the same again.
  if (codes[1] === 0) expect(numbers).toEqual([])
  else expect(numbers).toEqual(['E0114'])
  expect(codes[0]).toBe(0)
})

test('a full disk: the dump fails with its reason, and the older dumps and the database are as they were', async () => {
  const disk = mkdtempSync(path.join(os.tmpdir(), 'story-portal-disk-'))
  const script = fileURLToPath(new URL('fixtures/dump-disk-full.ts', import.meta.url))
  const asRoot = process.getuid?.() === 0 ? [] : ['--map-root-user']
  const mount = 'mount -t tmpfs -o size=256m tmpfs "$0" && exec "$1" "$2" "$0"'
  const args = ['--mount', ...asRoot, 'sh', '-c', mount, disk, process.execPath, script]
  const { stdout } = await promisify(execFile)('unshare', args)
  rmSync(disk, { recursive: true, force: true })
  expect(JSON.parse(stdout)).toEqual({
    error: { number: 'E0125', message: expect.stringContaining('the disk is full') },
    whole: 1,
    parts: 0,
    goals: 1,
    again: 2,
    daily: {
      reason: expect.stringContaining('no room for a copy of the database'),
      left: ['failed.json'],
      forgotten: true,
    },
  })
})

let postgres: TestPostgres
beforeAll(async () => {
  postgres = await startPostgres()
})
afterAll(() => postgres.stop())

const RECORDS = 10_000
const N = { type: 'object', properties: { n: { type: 'number' } }, required: ['n'] }
const HALF = {
  name: 'half',
  version: '1.0.0',
  description: 'Halves a number.',
  input_schema: N,
  output_schema: N,
  source: { type: 'javascript', code: 'return { n: input.n / 2 }' },
}

test(`a platform with ${RECORDS} records moves to PostgreSQL and goes on there`, async () => {
  const it = await home()
  expect((await it.cli('up', '--quiet')).code).toBe(0)
  const { goal } = await call(it, 'planning', 'create_goal', { title: 'Moves house' })
  const tasks = [
    { key: 'ask', kind: 'assistant', instructions: 'Say a number.' },
    { key: 'double', kind: 'code', depends_on: ['ask'], code: 'return input.ask * 2' },
  ]
  const { plan } = await call(it, 'planning', 'create_plan', { goal_id: goal.id, tasks })
  await call(it, 'planning', 'run_plan', { plan_id: plan.id, mode: 'background' })
  await call(it, 'planning', 'create_goal', { title: 'Another' })
  await call(it, 'tool-execution', 'register_tool', HALF)
  const { event: last } = await call(it, 'data', 'append_event', { stream: 'house', type: 'house.left', data: {} })
  const page = await call(it, 'data', 'list_records', { kind: 'goal', limit: 1 })
  expect((await it.cli('down')).code).toBe(0)
  await inside(it.home, (db) => fillUp(db, RECORDS))
  const target = await emptyPostgres()
  const killed = startCli(it, 'move', '--to', target)
  await Promise.race([ended(killed), sleep(6_000)])
  // It may have been faster; then the move below finds everything there.
  kill(killed)
  const moved = await it.cli('move', '--to', target, '--json')
  expect(moved).toMatchObject({ code: 0, json: { moved: true, already: expect.any(Boolean) } })
  expect(moved.json.rows).toBeGreaterThan(2 * RECORDS)
  const again = await it.cli('move', '--to', target, '--json')
  expect(again.json).toEqual({ ...moved.json, already: true, dump: expect.any(String) })

  const there = await home({ DATABASE_URL: target })
  // Under the old key, as it is the same platform: cursors given out before still lead on.
  expect((await there.cli('up', '--quiet')).code).toBe(0)
  const next = await call(there, 'data', 'list_records', { kind: 'goal', limit: 1, cursor: page.next_cursor })
  expect(next.items).toHaveLength(1)
  const search = await call(there, 'data', 'list_records', { kind: 'goal', query: '"goal 9999"' })
  expect(search.items.map(({ title }: { title: string }) => title)).toContain('goal 9999')
  const { task, lease_token } = await call(there, 'planning', 'claim_task', { plan_id: plan.id })
  await call(there, 'planning', 'complete_task', { task_id: task.id, lease_token, output: 21 })
  const done = await call(there, 'planning', 'get_plan', { plan_id: plan.id, mode: 'wait' })
  expect(done).toMatchObject({ plan: { status: 'completed' } })
  expect(done.tasks[1].output).toBe(42)
  const { invocation } = await call(there, 'tool-execution', 'invoke_tool', { tool: 'half', arguments: { n: 42 } })
  expect(invocation.output).toEqual({ n: 21 })
  const { event } = await call(there, 'data', 'append_event', { stream: 'house', type: 'house.entered', data: {} })
  expect(event.version).toBe(2)
  expect(event.position > last.position).toBe(true)
  // Nothing was taken from the old place.
  expect(readdirSync(it.home)).toContain('db')
}, 600_000)

/** Owned by somebody who may make roles, and is no superuser. */
async function emptyPostgres(): Promise<string> {
  const client = new pg.Client({ connectionString: postgres.url })
  await client.connect()
  const name = `move_${process.pid}_${Date.now()}`
  await client.query(`create role ${name} login createrole password 'moving'`)
  await client.query(`create database ${name} owner ${name}`)
  await client.end()
  return Object.assign(new URL(postgres.url), { username: name, password: 'moving', pathname: `/${name}` }).href
}
