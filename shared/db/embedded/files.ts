import { closeSync, constants, fsyncSync, openSync, readdirSync, renameSync, writeFileSync } from 'node:fs'
import { cp } from 'node:fs/promises'
import path from 'node:path'

/** True for "no such file". */
export function isMissing(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'ENOENT'
}

/** Writes beside and renames, so that a reader, or a crash, sees the old content or the new one. */
export function writeAtomically(file: string, content: string): void {
  const draft = `${file}.${process.pid}.tmp`
  writeFileSync(draft, content, { mode: 0o600, flush: true })
  renameSync(draft, file)
}

/** Copies a directory that nobody writes to, sharing blocks where the file system can, and returns when it began, as ISO text. */
export async function copyDirectory(from: string, to: string): Promise<string> {
  const moment = new Date().toISOString()
  await cp(from, to, { recursive: true, mode: constants.COPYFILE_FICLONE })
  return moment
}

/** Waits until everything below `dir` is on the disk. */
export function syncTree(dir: string): void {
  for (const entry of readdirSync(dir, { withFileTypes: true, recursive: true })) {
    if (entry.isFile()) syncPath(path.join(entry.parentPath, entry.name), 'r+')
    else if (entry.isDirectory()) syncDirectory(path.join(entry.parentPath, entry.name))
  }
  syncDirectory(dir)
}

/** Makes names in a directory durable; Windows has no such call and does it by itself. */
export function syncDirectory(dir: string): void {
  if (process.platform !== 'win32') syncPath(dir, 'r')
}

function syncPath(file: string, flags: string): void {
  const fd = openSync(file, flags)
  try {
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
}
