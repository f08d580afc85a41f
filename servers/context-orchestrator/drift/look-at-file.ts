import { createHash } from 'node:crypto'
import { constants } from 'node:fs'
import { type FileHandle, open, realpath } from 'node:fs/promises'
import path from 'node:path'
import { isWithin } from '../is-within.ts'

/** A file as it was looked at; without a digest it was too large and is compared by its size. An assistant's own digest has no size. */
export type SeenFile = { bytes?: number; sha256?: string }
/** Why a path could not be looked at. */
export type Unseen = { problem: 'outside' | 'folder' | 'not_a_file' | 'unreadable' }
/** null: there is no such file. */
export type Seen = SeenFile | Unseen | null

const MOST_BYTES = 32 * 1024 * 1024
// A pipe that nobody writes to must not hold the call; a link is followed first, and never out of the root.
const FLAGS = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW

/** Looks at a path below `root`, which must be a real path; nothing outside it is opened. */
export async function lookAtFile(root: string, name: string): Promise<Seen> {
  const wanted = path.resolve(root, name)
  if (!isWithin(root, wanted)) return { problem: 'outside' }
  try {
    const real = await realpath(wanted)
    if (!isWithin(root, real)) return { problem: 'outside' }
    const file = await open(real, FLAGS)
    try {
      return await seen(file)
    } finally {
      await file.close()
    }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    return code === 'ENOENT' || code === 'ENOTDIR' ? null : { problem: 'unreadable' }
  }
}

async function seen(file: FileHandle): Promise<Seen> {
  const stats = await file.stat()
  if (stats.isDirectory()) return { problem: 'folder' }
  if (!stats.isFile()) return { problem: 'not_a_file' }
  if (stats.size > MOST_BYTES) return { bytes: stats.size }
  const hash = createHash('sha256')
  let bytes = 0
  for await (const chunk of file.createReadStream({ autoClose: false, end: MOST_BYTES })) {
    hash.update(chunk as Buffer)
    bytes += (chunk as Buffer).length
  }
  return { bytes, sha256: hash.digest('hex') }
}
