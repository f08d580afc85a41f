import { closeSync, openSync, rmSync, writeSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Fault } from '../registry.ts'

const PIECE = Buffer.alloc(1024 * 1024)

/** The file system of the data directory has not a byte left for some seconds. */
export default {
  kind: 'other',
  modes: ['embedded', 'distributed'],
  impossible: ({ disk }) =>
    disk === undefined ? 'a small file system can be mounted only as root on Linux' : undefined,
  async strike({ disk = '' }, random) {
    const filler = path.join(disk, 'filler')
    const full_ms = random.between(2_000, 8_000)
    try {
      const bytes = fill(filler)
      await sleep(full_ms)
      return `${Math.round(bytes / PIECE.length)} MB, ${full_ms} ms`
    } finally {
      rmSync(filler, { force: true })
    }
  },
} satisfies Fault

function fill(file: string): number {
  const descriptor = openSync(file, 'w')
  let written = 0
  try {
    // Down to single pages, so that small writes meet the end too.
    for (let size = PIECE.length; size >= 4096; ) {
      try {
        written += writeSync(descriptor, PIECE, 0, size)
      } catch {
        size /= 2
      }
    }
  } finally {
    closeSync(descriptor)
  }
  return written
}
