import { readFileSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { makeDirectory } from '@story-portal/shared/config'
import { cliErrors } from './errors.ts'
import { isAlive } from './processes.ts'

const BEAT_MS = 2_000
/** A holder that has not touched the file for this long is gone, even when another process has its number now. */
const STALE_MS = 20_000

/**
 * Runs `fn` while no other process on this home starts or stops the platform: two editors that open at once start one
 * platform, the second waits and then finds it running. A lock left by a killed process is taken over.
 */
export async function withStartLock<T>(
  home: string,
  fn: () => Promise<T>,
  options: { waitMs?: number; onWait?: (pid: number) => void } = {},
): Promise<T> {
  const file = path.join(home, 'run', 'start.lock')
  makeDirectory(path.dirname(file))
  const deadline = Date.now() + (options.waitMs ?? 180_000)
  let told = false
  while (!take(file)) {
    const holder = readHolder(file)
    if (holder !== undefined && !told) {
      options.onWait?.(holder)
      told = true
    }
    if (Date.now() > deadline) throw cliErrors.busy({ pid: holder ?? 'unknown' })
    await sleep(100)
  }
  const beat = setInterval(() => utimesSync(file, new Date(), new Date()), BEAT_MS)
  beat.unref()
  try {
    return await fn()
  } finally {
    clearInterval(beat)
    rmSync(file, { force: true })
  }
}

function take(file: string): boolean {
  try {
    writeFileSync(file, String(process.pid), { flag: 'wx', mode: 0o600 })
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
  if (isStale(file)) evict(file)
  return false
}

function readHolder(file: string): number | undefined {
  try {
    return Number(readFileSync(file, 'utf8')) || undefined
  } catch {
    return undefined
  }
}

function isStale(file: string): boolean {
  try {
    const age = Date.now() - statSync(file).mtimeMs
    const holder = readHolder(file)
    // A file without a number is one that its maker is just writing, unless it stays so.
    return age > STALE_MS || (holder !== undefined && !isAlive(holder))
  } catch {
    return false
  }
}

/** Only one of several waiters wins the rename; the others see the next holder's file. */
function evict(file: string): void {
  const aside = `${file}.${process.pid}`
  try {
    renameSync(file, aside)
    // Between the look and the rename the lock may have changed hands: then it goes back.
    if (isStale(aside)) rmSync(aside, { force: true })
    else renameSync(aside, file)
  } catch {
    // Another waiter was first.
  }
}
