import { statfsSync } from 'node:fs'
import path from 'node:path'
import { dbErrors } from '../errors.ts'

/** A segment of the write-ahead log, which PostgreSQL makes as a whole, and a little to start with. */
const NEEDED_BYTES = 20 * 1024 * 1024

/** The coded error for a thread that did not start. PostgreSQL's own reason stays inside the thread: for a full disk the directory is asked. */
export function whyNotOpen(error: unknown, dataDir: string | undefined): Error {
  const home = dataDir === undefined ? 'memory' : path.dirname(dataDir)
  const code = (error as NodeJS.ErrnoException).code ?? ''
  if (code === 'ENOSPC' || code === 'EDQUOT' || freeBytes(home) < NEEDED_BYTES)
    return dbErrors.diskFull({}, { cause: error })
  if (['EACCES', 'EROFS', 'EPERM', 'ENOENT'].includes(code)) {
    return dbErrors.notWritable({ home, reason: code }, { cause: error })
  }
  return dbErrors.damaged({ home }, { cause: error })
}

function freeBytes(dir: string): number {
  try {
    const { bavail, bsize } = statfsSync(dir)
    return bavail * bsize
  } catch {
    return Number.POSITIVE_INFINITY
  }
}
