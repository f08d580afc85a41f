import { existsSync, readFileSync, renameSync, rmSync } from 'node:fs'
import path from 'node:path'
import { isMissing, syncDirectory, writeAtomically } from './files.ts'

/** Where a new database is made beside the one in use; it looks like a home of its own. */
export function nextHome(home: string): string {
  return path.join(home, 'next')
}

interface Swap {
  /** Name that the old database gets, inside the home. */
  keep: string
}

/**
 * Puts the database of `<home>/next` in the place of `<home>/db`, which is kept under another name. The intention is written
 * first: a crash between the two renames is completed at the next opening, by `completeSwap`.
 */
export function swapDatabase(home: string): string {
  const keep = `db.before-${new Date().toISOString().replace(/[-:.]/g, '')}`
  writeAtomically(intention(home), `${JSON.stringify({ keep } satisfies Swap)}\n`)
  syncDirectory(home)
  completeSwap(home)
  return path.join(home, keep)
}

/** Finishes a swap that was begun; without one, what a killed restore has half-made goes. Every step may have been done before. */
export function completeSwap(home: string): void {
  const swap = read(intention(home))
  const next = nextHome(home)
  if (!swap) {
    rmSync(next, { recursive: true, force: true })
    return
  }
  if (existsSync(path.join(next, 'db'))) {
    const keep = path.join(home, swap.keep)
    if (!existsSync(keep) && existsSync(path.join(home, 'db'))) renameSync(path.join(home, 'db'), keep)
    renameSync(path.join(next, 'db'), path.join(home, 'db'))
  }
  if (existsSync(path.join(next, 'manifest.json'))) {
    renameSync(path.join(next, 'manifest.json'), path.join(home, 'manifest.json'))
  }
  syncDirectory(home)
  rmSync(intention(home))
  rmSync(next, { recursive: true, force: true })
}

function intention(home: string): string {
  return path.join(home, 'swap.json')
}

function read(file: string): Swap | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Swap
  } catch (error) {
    if (isMissing(error)) return undefined
    throw error
  }
}
