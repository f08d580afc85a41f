import { randomBytes } from 'node:crypto'
import { constants } from 'node:fs'
import { lstat, mkdir, open, realpath, rename, rm } from 'node:fs/promises'
import path from 'node:path'
import { faults } from '../errors.ts'
import { isWithin } from '../is-within.ts'

const MOST_BYTES = 1024 * 1024

/** A folder below a project's real root, made where it is missing. Throws E14027 where a link or a file leads or stands in the way. */
export async function mirrorFolder(root: string, folder: string): Promise<string> {
  const wanted = path.resolve(root, folder)
  if (wanted === root || !isWithin(root, wanted)) throw faults.mirrorOutside({ folder })
  try {
    let at = root
    for (const part of path.relative(root, wanted).split(path.sep)) {
      at = path.join(at, part)
      await mkdir(at).catch(ignoreExisting)
      // Followed before it is used: a link inside of the project is fine, one out of it is not.
      if (!isWithin(root, await realpath(at)) || !(await lstat(await realpath(at))).isDirectory())
        throw faults.mirrorOutside({ folder })
    }
    return at
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === undefined || isOurs(error)) throw error
    throw faults.mirrorFailed({ folder }, { cause: error })
  }
}

function isOurs(error: unknown): boolean {
  return error instanceof Error && 'number' in error
}

function ignoreExisting(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EEXIST') throw error
}

/** The text of a mirror file; null: there is none; undefined: it is nothing that could be ours (too large, a link, a pipe, binary). */
export async function readMirror(file: string): Promise<string | null | undefined> {
  try {
    const handle = await open(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
    try {
      const stats = await handle.stat()
      if (!stats.isFile() || stats.size > MOST_BYTES) return undefined
      const text = (await handle.readFile()).toString('utf8')
      return text.includes('\0') || text.includes('\ufffd') ? undefined : text
    } finally {
      await handle.close()
    }
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT' ? null : undefined
  }
}

/** All of it or nothing: a reader, and git, never see half a file. */
export async function writeMirror(file: string, text: string): Promise<void> {
  const half = path.join(path.dirname(file), `.${path.basename(file)}.${randomBytes(6).toString('hex')}`)
  try {
    const handle = await open(half, 'wx', 0o644)
    try {
      await handle.writeFile(text)
    } finally {
      await handle.close()
    }
    await rename(half, file)
  } catch (error) {
    await rm(half, { force: true })
    throw faults.mirrorFailed({ folder: path.basename(path.dirname(file)) }, { cause: error })
  }
}
