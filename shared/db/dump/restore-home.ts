import { existsSync, rmSync } from 'node:fs'
import path from 'node:path'
import type { Logger } from '../../telemetry/index.ts'
import { type DatabaseConfig, openDatabase } from '../database.ts'
import { claimDirectory } from '../embedded/directory.ts'
import { completeSwap, nextHome, swapDatabase } from '../embedded/swap.ts'
import { dbErrors } from '../errors.ts'
import { changedAfter } from './changed-after.ts'
import { listDumps } from './dumps.ts'
import { type Loaded, type LoadOptions, loadDump } from './load-dump.ts'
import { dumpHeader } from './read-dump.ts'

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
    const changed = changedAfter(home, (await dumpHeader(file)).made_at)
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
