import { git } from './git.ts'
import { type Head, readHead } from './head.ts'
import { lookAtFile, type Seen } from './look-at-file.ts'

/** What a save saw around it: the commit and branch of the project's folder, and its key files. */
export type World = Head & {
  /** By path as the checkpoint names it. */
  files: Record<string, Seen>
}

/** Looks at a project's folder, a real path, as it is now; without git both of its head are null. */
export async function seeWorld(root: string, files: readonly string[]): Promise<World> {
  const [head, seen] = await Promise.all([seeHead(root), seeFiles(root, files)])
  return { ...head, files: seen }
}

async function seeHead(root: string): Promise<Head> {
  const read = await readHead(root)
  if (read !== undefined) return read
  const [commit, branch] = await Promise.all([
    git(root, 'rev-parse', '--quiet', '--verify', 'HEAD^{commit}'),
    git(root, 'symbolic-ref', '--quiet', '--short', 'HEAD'),
  ])
  return { commit: commit?.trim() || null, branch: branch?.trim() || null }
}

const AT_ONCE = 8

export async function seeFiles(root: string, files: readonly string[]): Promise<Record<string, Seen>> {
  const names = [...new Set(files)].sort()
  const found: Record<string, Seen> = {}
  const rest = names.values()
  const look = async () => {
    for (const name of rest) found[name] = await lookAtFile(root, name)
  }
  await Promise.all(Array.from({ length: AT_ONCE }, look))
  return Object.fromEntries(names.map((name) => [name, found[name] ?? null]))
}
