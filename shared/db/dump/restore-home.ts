import { existsSync, readdirSync, rmSync, statSync } from 'node:fs'
import path from 'node:path'
import type { Logger } from '../../telemetry/index.ts'
import { type DatabaseConfig, openDatabase } from '../database.ts'
import { claimDirectory } from '../embedded/directory.ts'
import { completeSwap, nextHome, swapDatabase } from '../embedded/swap.ts'
import { dbErrors } from '../errors.ts'
import { listDumps } from './dumps.ts'
import { type Loaded, type LoadOptions, loadDump } from './load-dump.ts'

export interface RestoreOptions extends LoadOptions {
  log: Logger
  /** Default: the newest dump of the home. */
  file?: string | undefined
  /** Also when the database was changed after the dump was made: those changes stay in the directory that is kept. */
  acceptLoss?: boolean | undefined
}

export interface Restored extends Loaded {
  file: string
  /** The old database's directory; undefined where there was none. */
  kept: string | undefined
}

/**
 * Fills a new embedded database from a dump and puts it in the place of the old one, which is kept beside it. Holds the home's
 * lock all the while; a crash leaves the old database or the new one. Throws E0114 while the platform runs, E0128 without a
 * dump, E0129 when the database was changed after it.
 */
export async function restoreHome(config: DatabaseConfig, options: RestoreOptions): Promise<Restored> {
  const { home } = config
  const lock = claimDirectory(home)
  try {
    completeSwap(home)
    const file = options.file ?? listDumps(home)[0]?.file
    if (file === undefined) throw dbErrors.noDump({ home })
    const changed = changedAfter(home, file)
    if (changed && !options.acceptLoss) throw dbErrors.dumpTooOld({ file, changed })
    const loaded = await fillNext(config, file, options)
    const had = existsSync(path.join(home, 'db'))
    const kept = swapDatabase(home)
    return { ...loaded, file, kept: had ? kept : undefined }
  } finally {
    lock.release()
  }
}

async function fillNext(config: DatabaseConfig, file: string, options: RestoreOptions): Promise<Loaded> {
  const next = nextHome(config.home)
  // Of an attempt that was killed.
  rmSync(next, { recursive: true, force: true })
  const db = await openDatabase({ ...config, mode: 'embedded', home: next }, { log: options.log })
  try {
    return await loadDump(db, file, options)
  } catch (error) {
    await db.close()
    rmSync(next, { recursive: true, force: true })
    throw error
  } finally {
    await db.close()
  }
}

/** Closing a database after a dump writes to its log too. */
const CLOSING_MS = 60_000

/** When the embedded database was last written to, if that was after the file was made; for one that no engine here opens. */
export function changedAfter(home: string, file: string): string | undefined {
  const wal = path.join(home, 'db', 'pg_wal')
  if (!existsSync(wal)) return undefined
  const newest = Math.max(0, ...readdirSync(wal).map((name) => statSync(path.join(wal, name)).mtimeMs))
  const made = statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0
  return newest > made + CLOSING_MS ? new Date(newest).toISOString() : undefined
}
