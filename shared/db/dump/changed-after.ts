import { readdirSync, statSync } from 'node:fs'
import path from 'node:path'
import { isMissing } from '../embedded/files.ts'
import { readManifest, writeManifest } from '../embedded/manifest.ts'

/** The kernel's clock for files may be behind ours by a tick. */
const TICK_MS = 10

/**
 * When an embedded database was last written to, if that was after the dump begun at `made_at`, as ISO text: what came then is
 * not in the dump. Goes by the write-ahead log's files, so it answers for a database that no engine here opens.
 */
export function changedAfter(home: string, made_at: string): string | undefined {
  const written = lastWrite(home)
  const dumped = readManifest(home)?.dumped
  const covered = dumped?.made_at === made_at ? dumped.written_at_ms : Date.parse(made_at) - TICK_MS
  return written > covered ? new Date(written).toISOString() : undefined
}

/** Notes that this dump holds all of a database that was closed since without a change: closing writes to the log too. */
export function markWhole(home: string, made_at: string): void {
  writeManifest(home, readManifest(home)?.migrations ?? [], { made_at, written_at_ms: lastWrite(home) })
}

function lastWrite(home: string): number {
  const wal = path.join(home, 'db', 'pg_wal')
  try {
    return Math.max(0, ...readdirSync(wal).map((name) => statSync(path.join(wal, name)).mtimeMs))
  } catch (error) {
    if (isMissing(error)) return 0
    throw error
  }
}
