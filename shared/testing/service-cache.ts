import { existsSync, statSync } from 'node:fs'
import { chmod, mkdir, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'

/** Where private copies of service binaries are kept between runs, `STORY_PORTAL_CACHE` or a folder in the temporary directory. */
export async function serviceCache(): Promise<string> {
  const dir = process.env['STORY_PORTAL_CACHE'] ?? path.join(os.tmpdir(), 'story-portal-cache')
  await mkdir(dir, { recursive: true, mode: 0o755 })
  const { uid, mode } = statSync(dir)
  // The temporary directory belongs to everybody: programs somebody else put there must not be run.
  if (process.getuid && (uid !== process.getuid() || (mode & 0o022) !== 0)) {
    throw new Error(`${dir} is writable for others or not ours; set STORY_PORTAL_CACHE to a directory of your own`)
  }
  return dir
}

/** The newest finished entry whose name begins so. */
export async function cached(prefix: string): Promise<string | undefined> {
  const dir = await serviceCache()
  const names = (await readdir(dir)).filter(
    (name) => name.startsWith(prefix) && existsSync(path.join(dir, name, 'done')),
  )
  const newest = names.sort().at(-1)
  return newest && path.join(dir, newest)
}

/**
 * Builds an entry in a directory beside and renames it into place, so that a half-built one is never seen and of two
 * builders at once one wins. `make` gets the directory and one for scratch, and returns the entry's name.
 */
export async function buildCached(make: (entry: string, scratch: string) => Promise<string>): Promise<string> {
  const dir = await serviceCache()
  const work = await mkdtemp(path.join(dir, 'building-'))
  try {
    const entry = path.join(work, 'entry')
    const scratch = path.join(work, 'scratch')
    await mkdir(entry)
    await mkdir(scratch)
    const name = await make(entry, scratch)
    await chmod(entry, 0o755)
    await writeFile(path.join(entry, 'done'), `${name}\n`)
    const final = path.join(dir, name)
    await rename(entry, final).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error
    })
    return final
  } finally {
    await rm(work, { recursive: true, force: true })
  }
}
