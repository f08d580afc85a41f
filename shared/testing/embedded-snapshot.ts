import { existsSync, mkdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir, userInfo } from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { internalsOf, migrate, openDatabase } from '../db/index.ts'
import { schemaHash } from './schema-hash.ts'
import { silentLog, testConfig } from './test-config.ts'

const STALE_MS = 120_000

/** The tar of a migrated embedded database, made once per schema and shared by all test processes of the machine. */
export async function embeddedSnapshot(): Promise<string> {
  const dir = path.join(tmpdir(), `story-portal-snapshots-${userInfo().username}`)
  mkdirSync(dir, { recursive: true, mode: 0o700 })
  const file = path.join(dir, `${schemaHash()}.tar`)
  const building = `${file}.building`
  while (!existsSync(file)) {
    if (!claim(building)) {
      await sleep(200)
      continue
    }
    try {
      if (!existsSync(file)) await build(file)
    } finally {
      rmSync(building, { recursive: true, force: true })
    }
  }
  return file
}

/** One builds, the others wait; who died while building is followed after a while. */
function claim(building: string): boolean {
  try {
    mkdirSync(building)
    return true
  } catch {
    const since = statSync(building, { throwIfNoEntry: false })?.mtimeMs ?? Date.now()
    if (Date.now() - since > STALE_MS) rmSync(building, { recursive: true, force: true })
    return false
  }
}

async function build(file: string): Promise<void> {
  const config = testConfig()
  const db = await openDatabase(config, { log: silentLog, memory: true })
  try {
    await migrate(db)
    const draft = `${file}.${process.pid}`
    writeFileSync(draft, await internalsOf(db).dump())
    renameSync(draft, file)
  } finally {
    await db.close()
    rmSync(config.home, { recursive: true, force: true })
  }
}
