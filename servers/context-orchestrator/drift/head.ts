import { lstat, readFile } from 'node:fs/promises'
import path from 'node:path'
import { projectFolders } from '../project-root.ts'

/** Where a repository is; null: no commit yet, or no branch. */
export type Head = { commit: string | null; branch: string | null }

const COMMIT = /^([0-9a-f]{40}|[0-9a-f]{64})$/
/** No name that git would not make, above all none that leads elsewhere; `.invalid` is what HEAD says where refs are kept in tables. */
const BRANCH = /^ref: refs\/heads\/((?!\.|.*(?:\.\.|\/\.|\/\/))[^\0-\x20\x7f~^:?*[\\]+)$/
const MOST_BYTES = 32 * 1024 * 1024

/**
 * What the repository around a folder is at, from its own files: a program takes tens of milliseconds to start beside a large
 * process, and every save asks. undefined where the files are not of the usual form; then git has to say.
 */
export async function readHead(folder: string): Promise<Head | undefined> {
  const top = projectFolders(folder).at(-1) ?? folder
  const own = await gitFolder(path.join(top, '.git'))
  const head = own && (await line(path.join(own, 'HEAD')))
  if (head === undefined || own === undefined) return undefined
  if (COMMIT.test(head)) return { commit: head, branch: null }
  const [, branch] = BRANCH.exec(head) ?? []
  if (branch === undefined) return undefined
  // Of a linked worktree: branches are kept by the repository that it belongs to.
  const common = path.resolve(own, (await line(path.join(own, 'commondir'))) ?? '.')
  const commit = await commitOf(common, branch)
  return commit === undefined ? undefined : { commit, branch }
}

async function gitFolder(file: string): Promise<string | undefined> {
  const stat = await lstat(file).catch(() => undefined)
  if (stat?.isDirectory()) return file
  const [, elsewhere] = /^gitdir: (.+)$/.exec((await line(file)) ?? '') ?? []
  return elsewhere === undefined ? undefined : path.resolve(path.dirname(file), elsewhere)
}

/** A branch in a file of its own counts before one among the packed; in neither it has no commit yet. */
async function commitOf(common: string, branch: string): Promise<string | null | undefined> {
  const loose = await line(path.join(common, 'refs/heads', branch))
  if (loose !== undefined) return COMMIT.test(loose) ? loose : undefined
  const packed = (await content(path.join(common, 'packed-refs'))) ?? ''
  const end = packed.indexOf(` refs/heads/${branch}\n`)
  if (end < 0) return null
  const commit = packed.slice(packed.lastIndexOf('\n', end) + 1, end)
  return COMMIT.test(commit) ? commit : undefined
}

/** The one line of a small file. */
async function line(file: string): Promise<string | undefined> {
  return (await content(file))?.trimEnd()
}

async function content(file: string): Promise<string | undefined> {
  try {
    // Anything else could be waited for without end.
    const stat = await lstat(file)
    return stat.isFile() && stat.size <= MOST_BYTES ? await readFile(file, 'utf8') : undefined
  } catch {
    return undefined
  }
}
