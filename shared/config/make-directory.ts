import { mkdirSync, statSync } from 'node:fs'
import path from 'node:path'

/**
 * Makes a directory and the missing ones above it (mode 0700); throws the file system's error. Node's own recursive mkdir
 * never returns below /proc, where a missing directory can not be made and is reported as one whose parent is missing.
 */
export function makeDirectory(dir: string): void {
  if (isDirectory(dir)) return
  const parent = path.dirname(dir)
  if (parent !== dir) makeDirectory(parent)
  try {
    mkdirSync(dir, { mode: 0o700 })
  } catch (error) {
    // Another process was faster.
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST' || !isDirectory(dir)) throw error
  }
}

function isDirectory(dir: string): boolean {
  return statSync(dir, { throwIfNoEntry: false })?.isDirectory() ?? false
}
