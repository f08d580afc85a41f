import { randomUUID } from 'node:crypto'
import {
  linkSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { hostname } from 'node:os'
import path from 'node:path'
import { isMissing } from './files.ts'
import { bootId, pidNamespace, startOf } from './process-identity.ts'

/** Who holds the directory: enough to tell a living process from a dead one whose number was given out again. */
export interface LockHolder {
  token: string
  pid: number
  /** The kernel's start time of the process, in ticks since boot; '' where the system does not say. */
  process_start: string
  boot_id: string
  /** Where its process number is valid; '' where the system has no such thing. */
  pid_namespace: string
  host: string
  since: string
}

export interface DirectoryLock {
  release(): void
}

const SIGN_OF_LIFE_MS = 5000
const SILENT_MS = 30_000

/**
 * Takes `<home>/db.lock`, or returns the living holder. Two processes on one PGlite directory lose rows without a word, so this
 * must never be wrong. Every step is one atomic file operation: a first lock is made by link(2), which fails when the name
 * exists; the lock of a dead process with token T is taken over by whoever links `db.lock.over.T`, again only one, and only if
 * `db.lock` then still holds T. A crash at any point leaves a chain that the next starter follows the same way.
 */
export function takeLock(home: string): DirectoryLock | LockHolder {
  const file = path.join(home, 'db.lock')
  const me = identity()
  const draft = path.join(home, `db.lock.new.${me.token}`)
  writeFileSync(draft, `${JSON.stringify(me)}\n`, { mode: 0o600, flush: true })
  try {
    for (let attempt = 0; attempt < 100; attempt++) {
      const outcome = tryOnce(file, draft)
      if (outcome === 'taken') return hold(file, me)
      if (outcome !== 'again') return outcome
    }
    throw new Error('the lock file keeps changing')
  } finally {
    remove(draft)
  }
}

function tryOnce(file: string, draft: string): 'taken' | 'again' | LockHolder {
  if (linked(draft, file)) return 'taken'
  const first = read(file)
  if (!first) return 'again'
  // Follow the chain of take-overs to whoever came last.
  let holder = first
  let seenAt = file
  for (let next = read(overOf(file, holder)); next; next = read(overOf(file, holder))) {
    seenAt = overOf(file, holder)
    holder = next
  }
  if (isAlive(holder, seenAt)) return holder
  const over = overOf(file, holder)
  if (!linked(draft, over)) return 'again'
  if (read(file)?.token !== first.token) {
    // The lock moved on between reading and linking: this take-over is of something that is gone.
    remove(over)
    return 'again'
  }
  renameSync(draft, file)
  sweep(file)
  return 'taken'
}

/** Stands for the token and boot of a file that holds no JSON. */
const UNREADABLE = 'unreadable'

function overOf(file: string, holder: LockHolder): string {
  return `${file}.over.${holder.token}`
}

/** What dead processes left beside the lock. A living starter's draft is not touched: it removes that itself. */
function sweep(file: string): void {
  const dir = path.dirname(file)
  for (const name of readdirSync(dir)) {
    if (name.startsWith('db.lock.over.')) remove(path.join(dir, name))
    if (!name.startsWith('db.lock.new.')) continue
    const draft = read(path.join(dir, name))
    // One that can not be read yet is being written: its owner is about to link it.
    if (draft && draft.token !== UNREADABLE && !isAlive(draft, path.join(dir, name))) remove(path.join(dir, name))
  }
}

function hold(file: string, me: LockHolder): DirectoryLock {
  const timer = setInterval(() => touch(file, me), SIGN_OF_LIFE_MS)
  timer.unref()
  return {
    release() {
      clearInterval(timer)
      if (read(file)?.token === me.token) remove(file)
    },
  }
}

function identity(): LockHolder {
  return {
    token: randomUUID(),
    pid: process.pid,
    process_start: startOf(process.pid) ?? '',
    boot_id: bootId(),
    pid_namespace: pidNamespace(),
    host: hostname(),
    since: new Date().toISOString(),
  }
}

/** Of a process on another machine, or in another container, only the sign of life can be seen. */
function isAlive(holder: LockHolder, file: string): boolean {
  const gaveSign = () => Date.now() - modified(file) < SILENT_MS
  if (holder.host !== hostname()) return gaveSign()
  if (holder.boot_id !== bootId()) return false
  if (holder.pid_namespace !== pidNamespace()) return gaveSign()
  try {
    process.kill(holder.pid, 0)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false
  }
  return holder.process_start === '' || startOf(holder.pid) === holder.process_start
}

function linked(from: string, to: string): boolean {
  try {
    linkSync(from, to)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}

function read(file: string): LockHolder | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as LockHolder
  } catch (error) {
    if (isMissing(error)) return undefined
    // Ours are complete before they get their name: this one a broken disk or an editor made, and no process answers for it.
    if (error instanceof SyntaxError) return { ...identity(), token: UNREADABLE, boot_id: UNREADABLE }
    throw error
  }
}

function modified(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0
}

/** Only our own: one that was taken over from us, in a pause longer than the silence, says by itself whether its holder lives. */
function touch(file: string, me: LockHolder): void {
  try {
    if (read(file)?.token !== me.token) return
    utimesSync(file, new Date(), new Date())
  } catch {
    // A full or unplugged disk: the next one tries again.
  }
}

function remove(file: string): void {
  try {
    unlinkSync(file)
  } catch (error) {
    if (!isMissing(error)) throw error
  }
}
