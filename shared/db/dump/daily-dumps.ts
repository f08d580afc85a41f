import { readFileSync, rmSync, statSync } from 'node:fs'
import path from 'node:path'
import type { Logger } from '../../telemetry/index.ts'
import { writeAtomically } from '../embedded/files.ts'
import { homeOf } from '../internals.ts'
import type { Db } from '../types.ts'
import { changedAfter } from './changed-after.ts'
import { dumpRunning } from './dump-running.ts'
import { type DumpFile, dumpsFolder, listDumps } from './dumps.ts'

const DAY_MS = 24 * 3_600_000
const LOOK_MS = 10 * 60_000
const FIRST_MS = 60_000

/**
 * Dumps an embedded database on disk once a day, when something has changed since the last dump; does nothing for others. The
 * first look is a minute after the start, when that is over.
 */
export function startDailyDumps(db: Db, log: Logger, firstMs = FIRST_MS): { stop(): Promise<void> } {
  const home = homeOf(db)
  if (home === undefined) return { stop: async () => {} }
  const ending = new AbortController()
  let running = Promise.resolve()
  const look = () => {
    running = running.then(() => dumpWhenDue({ db, home, log, signal: ending.signal }))
  }
  const first = setTimeout(look, firstMs).unref()
  const timer = setInterval(look, LOOK_MS).unref()
  return {
    async stop() {
      clearTimeout(first)
      clearInterval(timer)
      ending.abort()
      await running
    },
  }
}

interface DumpFailure {
  at: string
  reason: string
}

/** Why the last daily dump of a home failed; undefined when it did not. */
export function dumpFailure(home: string): DumpFailure | undefined {
  try {
    return JSON.parse(readFileSync(failureFile(home), 'utf8')) as DumpFailure
  } catch {
    return undefined
  }
}

function failureFile(home: string): string {
  return path.join(dumpsFolder(home), 'failed.json')
}

interface Watch {
  db: Db
  home: string
  log: Logger
  signal: AbortSignal
}

async function dumpWhenDue({ db, home, log, signal }: Watch): Promise<void> {
  if (signal.aborted) return
  const [newest] = listDumps(home)
  if (newest === undefined ? isYoung(home) : !isDue(home, newest)) return
  const started = performance.now()
  try {
    const { file, rows } = await dumpRunning(db, home, signal)
    rmSync(failureFile(home), { force: true })
    log.info({ file, rows, ms: Math.round(performance.now() - started) }, 'the daily dump was written')
  } catch (error) {
    // It is made the next time.
    if (signal.aborted) return
    log.error({ err: error }, 'the daily dump could not be written')
    remember(home, error)
  }
}

function isDue(home: string, { made_at }: DumpFile): boolean {
  return Date.now() - Date.parse(made_at) >= DAY_MS && changedAfter(home, made_at) !== undefined
}

/** A new home has nothing to lose yet, and its first day is when somebody watches it start. */
function isYoung(home: string): boolean {
  const made = statSync(path.join(home, 'db', 'PG_VERSION'), { throwIfNoEntry: false })?.mtimeMs ?? Date.now()
  return Date.now() - made < DAY_MS
}

function remember(home: string, error: unknown): void {
  const reason = error instanceof Error ? error.message : String(error)
  try {
    const failure: DumpFailure = { at: new Date().toISOString(), reason }
    writeAtomically(failureFile(home), `${JSON.stringify(failure)}\n`)
  } catch {
    // The disk that took no dump takes no note of it either; the log has it.
  }
}
