import { closeSync, openSync, readdirSync, renameSync, statSync, unlinkSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { makeDirectory } from '../config/index.ts'

export interface RotatingFileOptions {
  dir: string
  /** Without extension; must be this process's own. */
  name: string
  maxBytes: number
  /** Files of this name in all, the open one included. */
  maxFiles: number
  /** All `*.log*` files of the directory together. */
  maxTotalBytes: number
}

/**
 * An append-only file that is renamed to `.1`, `.2` ... when full. Writes are synchronous: the last line before a crash is the
 * one that matters, and a write here costs microseconds. A full disk loses log lines, never the process.
 */
export function rotatingFile(options: RotatingFileOptions): { write(line: string): void; close(): void } {
  const path = join(options.dir, `${options.name}.log`)
  let fd: number | undefined
  let size = 0

  const open = (): void => {
    makeDirectory(options.dir)
    fd = openSync(path, 'a', 0o600)
    size = statSync(path).size
    trimDirectory(options.dir, path, options.maxTotalBytes)
  }
  const close = (): void => {
    if (fd !== undefined) closeSync(fd)
    fd = undefined
  }
  const rotate = (): void => {
    close()
    for (let n = options.maxFiles - 2; n >= 1; n -= 1) attempt(() => renameSync(`${path}.${n}`, `${path}.${n + 1}`))
    if (options.maxFiles > 1) attempt(() => renameSync(path, `${path}.1`))
    else attempt(() => unlinkSync(path))
    open()
  }
  const write = (line: string): void => {
    const bytes = Buffer.byteLength(line)
    attempt(() => {
      if (fd === undefined) open()
      else if (size > 0 && size + bytes > options.maxBytes) rotate()
      if (fd !== undefined) size += writeSync(fd, line)
    })
  }
  return { write, close }
}

/** Logging must not fail what it reports on, so a file-system error here is dropped. */
function attempt(action: () => void): void {
  try {
    action()
  } catch {
    // Disk full, directory gone or file not there: the next write tries again.
  }
}

function trimDirectory(dir: string, own: string, maxTotalBytes: number): void {
  const files = readdirSync(dir)
    .filter((name) => /\.log(\.\d+)?$/.test(name))
    .map((name) => join(dir, name))
    .flatMap((file) => {
      try {
        const { size, mtimeMs } = statSync(file)
        return [{ file, size, mtimeMs }]
      } catch {
        return [] // Another process rotated it away between the listing and here.
      }
    })
    .sort((a, b) => a.mtimeMs - b.mtimeMs)
  let total = files.reduce((sum, { size }) => sum + size, 0)
  for (const { file, size } of files) {
    if (total <= maxTotalBytes) return
    if (file === own) continue
    attempt(() => unlinkSync(file))
    total -= size
  }
}
