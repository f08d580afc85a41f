import { existsSync, globSync, mkdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir, userInfo } from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Db, internalsOf, migrate, openDatabase } from '../db/index.ts'
import { enginesHash, schemaHash } from './schema-hash.ts'
import { silentLog, testConfig } from './test-config.ts'

const STALE_MS = 120_000
const KEPT = 4
/** Longer than a test run takes: another checkout, or this one before an edit, may be in the middle of one. */
const IN_USE_MS = 2 * 3_600_000

/**
 * The tar of a migrated embedded database, made once per schema and shared by all test processes of the machine. It starts
 * from an empty one, also kept: initdb takes longer than all migrations.
 */
export async function embeddedSnapshot(): Promise<string> {
  const dir = directory()
  return once(path.join(dir, `schema-${schemaHash()}.tar`), async (file) => {
    await build(file, await emptySnapshot())
    prune(dir)
  })
}

/** The tar of an embedded database as initdb leaves it. */
export async function emptySnapshot(): Promise<string> {
  return once(path.join(directory(), `empty-${enginesHash()}.tar`), (file) => build(file, undefined))
}

function directory(): string {
  const dir = path.join(tmpdir(), `story-portal-snapshots-${userInfo().username}`)
  mkdirSync(dir, { recursive: true, mode: 0o700 })
  return dir
}

/** One makes the file, the others wait; who died while making it is followed after a while. */
async function once(file: string, make: (file: string) => Promise<void>): Promise<string> {
  const making = `${file}.making`
  while (!existsSync(file)) {
    if (!claim(making)) {
      await sleep(100)
      continue
    }
    try {
      if (!existsSync(file)) await make(file)
    } finally {
      rmSync(making, { recursive: true, force: true })
    }
  }
  return file
}

function claim(making: string): boolean {
  try {
    mkdirSync(making)
    return true
  } catch {
    const since = statSync(making, { throwIfNoEntry: false })?.mtimeMs ?? Date.now()
    if (Date.now() - since > STALE_MS) rmSync(making, { recursive: true, force: true })
    return false
  }
}

/** Without `empty` an empty one is made, with it a migrated one. */
async function build(file: string, empty: string | undefined): Promise<void> {
  const config = testConfig()
  const db = await openDatabase(config, { log: silentLog, memory: true, snapshot: empty })
  try {
    if (empty) await migrate(db)
    await write(db, file)
  } finally {
    await db.close()
    rmSync(config.home, { recursive: true, force: true })
  }
}

async function write(db: Db, file: string): Promise<void> {
  const draft = `${file}.${process.pid}`
  writeFileSync(draft, await internalsOf(db).dump())
  renameSync(draft, file)
}

/** Each is 40 MB, and every change of a migration makes another. */
function prune(dir: string): void {
  const files = globSync('schema-*.tar', { cwd: dir }).map((name) => path.join(dir, name))
  const age = (file: string) => statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0
  const older = files.sort((a, b) => age(b) - age(a)).slice(KEPT)
  for (const file of older.filter((name) => Date.now() - age(name) > IN_USE_MS)) rmSync(file, { force: true })
}
