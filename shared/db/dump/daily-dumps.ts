import { rmSync, statSync } from 'node:fs'
import path from 'node:path'
import type { Logger } from '../../telemetry/index.ts'
import { writeAtomically } from '../embedded/files.ts'
import { homeOf } from '../internals.ts'
import type { Db } from '../types.ts'
import { dumpsFolder, listDumps, takeDump } from './dumps.ts'
import { changedAfter } from './restore-home.ts'

const DAY_MS = 24 * 3_600_000
const LOOK_MS = 10 * 60_000

/**
 * Dumps an embedded database on disk once a day, when something has changed since the last dump; does nothing for others. It
 * stands still for everybody while a dump is written, which is why it is no more often.
 */
export function startDailyDumps(db: Db, log: Logger): { stop(): Promise<void> } {
  const home = homeOf(db)
  if (home === undefined) return { stop: async () => {} }
  let running = Promise.resolve()
  const look = () => {
    running = running.then(() => dumpWhenDue(db, home, log))
  }
  const timer = setInterval(look, LOOK_MS)
  timer.unref()
  look()
  return {
    async stop() {
      clearInterval(timer)
      await running
    },
  }
}

/** Where a failed dump is remembered until one succeeds, for `doctor`. */
export function dumpFailureFile(home: string): string {
  return path.join(dumpsFolder(home), 'failed.json')
}

async function dumpWhenDue(db: Db, home: string, log: Logger): Promise<void> {
  const [newest] = listDumps(home)
  if (newest === undefined ? isYoung(home) : !isDue(home, newest)) return
  const started = performance.now()
  try {
    const { file, rows } = await takeDump(db, home)
    rmSync(dumpFailureFile(home), { force: true })
    log.info({ file, rows, ms: Math.round(performance.now() - started) }, 'the daily dump was written')
  } catch (error) {
    log.error({ err: error }, 'the daily dump could not be written')
    remember(home, error)
  }
}

function isDue(home: string, { file, made_at }: { file: string; made_at: string }): boolean {
  return Date.now() - Date.parse(made_at) >= DAY_MS && changedAfter(home, file) !== undefined
}

/** A new home has nothing to lose yet, and its first day is when somebody watches it start. */
function isYoung(home: string): boolean {
  const made = statSync(path.join(home, 'db', 'PG_VERSION'), { throwIfNoEntry: false })?.mtimeMs ?? Date.now()
  return Date.now() - made < DAY_MS
}

function remember(home: string, error: unknown): void {
  const reason = error instanceof Error ? error.message : String(error)
  try {
    writeAtomically(dumpFailureFile(home), `${JSON.stringify({ at: new Date().toISOString(), reason })}\n`)
  } catch {
    // The disk that took no dump takes no note of it either; the log has it.
  }
}
