import { stat } from 'node:fs/promises'
import path from 'node:path'
import { git, gitList } from './git.ts'
import { lookAtFile, type Seen, type SeenFile } from './look-at-file.ts'

const MOST_CANDIDATES = 50_000
const MOST_LOOKED_AT = 200

/** A file that is gone from its place, as it was there. */
export type Gone = { path: string; was: SeenFile }
export type Moved = { to: string; now: Seen }

/**
 * Where files went that are gone from their places, by path: what git sees as a rename between `commit` and its index, else a file
 * that is new since then and has the same bytes.
 */
export async function movedFiles(
  root: string,
  gone: readonly Gone[],
  commit: string | undefined,
): Promise<Map<string, Moved>> {
  const moved = new Map<string, Moved>()
  if (gone.length === 0) return moved
  const renames = commit === undefined ? new Map<string, string>() : await renamesSince(root, commit)
  for (const one of gone) {
    const to = renames.get(path.normalize(one.path))
    const now = to === undefined ? null : await lookAtFile(root, to)
    if (to !== undefined && now !== null) moved.set(one.path, { to, now })
  }
  const rest = gone.filter((one) => !moved.has(one.path) && (one.was.bytes ?? 0) > 0)
  if (rest.length > 0) await findSame(root, rest, { commit, moved })
  return moved
}

async function renamesSince(root: string, commit: string): Promise<Map<string, string>> {
  const flags = ['--cached', '-M', '--diff-filter=R', '--name-status', '--relative', '-z']
  const words = await gitList(root, 'diff-index', ...flags, commit)
  const renames = new Map<string, string>()
  for (let i = 0; i + 2 < words.length; i += 3) renames.set(words[i + 1] ?? '', words[i + 2] ?? '')
  return renames
}

interface Search {
  commit: string | undefined
  moved: Map<string, Moved>
}

async function findSame(root: string, gone: readonly Gone[], { commit, moved }: Search): Promise<void> {
  const sizes = new Set(gone.map(({ was }) => was.bytes))
  const candidates = await newFiles(root, commit)
  let looks = MOST_LOOKED_AT
  const found: { to: string; now: SeenFile }[] = []
  for (const to of candidates) {
    const size = (await stat(path.join(root, to)).catch(() => undefined))?.size
    if (size === undefined || !sizes.has(size) || looks-- <= 0) continue
    const now = await lookAtFile(root, to)
    if (now && 'bytes' in now && now.sha256 !== undefined) found.push({ to, now })
  }
  for (const { path: from, was } of gone) {
    const same = found.filter(({ now }) => now.sha256 === was.sha256)
    const best = same.find(({ to }) => path.basename(to) === path.basename(from)) ?? same[0]
    if (best) moved.set(from, best)
  }
}

/** Files that git knows or could know, without those that were there at the commit: they are copies, not where something went. */
async function newFiles(root: string, commit: string | undefined): Promise<string[]> {
  const [now, before] = await Promise.all([
    gitList(root, 'ls-files', '-z', '--cached', '--others', '--exclude-standard', '--deduplicate'),
    commit === undefined ? [] : gitList(root, 'ls-tree', '-r', '--name-only', '-z', commit),
  ])
  const old = new Set(before)
  return now.filter((name) => !old.has(name)).slice(0, MOST_CANDIDATES)
}

/** Whether a repository still has a commit. */
export async function hasCommit(root: string, commit: string): Promise<boolean> {
  return (await git(root, 'cat-file', '-e', `${commit}^{commit}`)) !== undefined
}
