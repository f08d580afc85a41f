import { spawn } from 'node:child_process'
import { mkdirSync, readdirSync, rmSync, statfsSync, statSync } from 'node:fs'
import path from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { dbErrors } from '../errors.ts'
import { internalsOf } from '../internals.ts'
import type { Db } from '../types.ts'
import { dumpsFolder, newDump, prune } from './dumps.ts'
import type { Dumped } from './write-dump.ts'

/** What a database that goes on working needs beside a copy of itself. */
const SPARE_BYTES = 64 * 1024 * 1024

/**
 * Dumps an embedded database that is in use: it stands still while its files are copied, no longer, and a process of its own then
 * opens the copy and writes the dump, at low priority and with memory that ends with it. Throws E0125, also where there is no
 * room for the copy.
 */
export async function dumpRunning(db: Db, home: string, signal?: AbortSignal): Promise<Dumped> {
  const copy = path.join(dumpsFolder(home), 'copy')
  // Of a process that was killed.
  rmSync(copy, { recursive: true, force: true })
  try {
    assertRoom(home)
    mkdirSync(copy, { recursive: true, mode: 0o700 })
    const made_at = await internalsOf(db).copyTo(path.join(copy, 'db'))
    return await dumpCopy({ copy, file: newDump(home, made_at), made_at }, signal)
  } catch (error) {
    const reason = error instanceof NoRoom ? error.message : 'see the log'
    throw dbErrors.dumpFailed({ file: dumpsFolder(home), reason }, { cause: error })
  } finally {
    rmSync(copy, { recursive: true, force: true })
    prune(home)
  }
}

class NoRoom extends Error {}

function assertRoom(home: string): void {
  const { bavail, bsize } = statfsSync(home)
  const needed = sizeOf(path.join(home, 'db')) + SPARE_BYTES
  if (bavail * bsize < needed) {
    throw new NoRoom(`the disk has no room for a copy of the database, ${Math.ceil(needed / 2 ** 20)} MB`)
  }
}

function sizeOf(dir: string): number {
  const files = readdirSync(dir, { withFileTypes: true, recursive: true }).filter((entry) => entry.isFile())
  return files.reduce(
    (sum, { parentPath, name }) => sum + (statSync(path.join(parentPath, name), { throwIfNoEntry: false })?.size ?? 0),
    0,
  )
}

interface Task {
  /** A home that holds nothing but the copied `db`. */
  copy: string
  file: string
  made_at: string
}

async function dumpCopy({ copy, file, made_at }: Task, signal: AbortSignal | undefined): Promise<Dumped> {
  const program = fileURLToPath(new URL('dump-process.ts', import.meta.url))
  // Its stdin ends with this process, and it with its stdin.
  const child = spawn(process.execPath, [program, copy, file, made_at], {
    stdio: ['pipe', 'pipe', 'pipe'],
    ...(signal ? { signal, killSignal: 'SIGKILL' as const } : {}),
  })
  const ended = new Promise<number | null>((resolve, reject) => child.once('error', reject).once('close', resolve))
  const [code, out, complaint] = await Promise.all([ended, text(child.stdout), text(child.stderr)])
  if (code !== 0) throw new Error(`the process that writes the dump ended with ${code}: ${complaint.slice(-4000)}`)
  return JSON.parse(out) as Dumped
}
