import { git } from './git.ts'
import type { LinkedDrift } from './linked-since.ts'
import type { Seen, SeenFile } from './look-at-file.ts'
import { type Gone, hasCommit, movedFiles } from './moved.ts'
import { seeWorld, type World } from './world.ts'

/** One key file that is not as it was. A moved one says where it is, and `edited` when its bytes differ too. */
export type FileDrift = {
  path: string
  change: 'edited' | 'moved' | 'gone' | 'appeared'
  to?: string
  edited?: boolean
}

/** Where the head is, seen from the saved commit: commits that came, and commits that are no longer in it. */
export type CommitDrift = {
  /** null: there was no commit yet. */
  was: string | null
  now: string | null
  how: 'ahead' | 'behind' | 'diverged' | 'unknown'
  came?: number
  lost?: number
}

/** What is no longer as it was when a version was saved; `checked: false` says why nothing was looked at. */
export type Drift =
  | { checked: false; reason: string; linked?: LinkedDrift[] }
  | {
      checked: true
      drifted: boolean
      since_version: number
      branch?: { was: string | null; now: string | null }
      commit?: CommitDrift
      files: FileDrift[]
      /** What it is linked with in planning, and others have changed. */
      linked?: LinkedDrift[]
      /** Key files that could not be compared, each with the reason. */
      unchecked: { path: string; reason: string }[]
    }

/** Compares what a version saw with a project's folder, a real path, as it is now. */
export async function driftOf(root: string, saved: World, version: number): Promise<Extract<Drift, { checked: true }>> {
  const now = await seeWorld(root, Object.keys(saved.files))
  const [commit, { files, unchecked }] = await Promise.all([
    commitDrift(root, saved, now.commit),
    fileDrift(root, saved, now),
  ])
  // Without a commit on either side there is no git to tell branches apart.
  const branch =
    saved.branch === now.branch || (saved.commit ?? saved.branch) === null
      ? undefined
      : { was: saved.branch, now: now.branch }
  const drifted = branch !== undefined || commit !== undefined || files.length > 0
  return {
    ...{ checked: true, drifted, since_version: version },
    ...(branch && { branch }),
    ...(commit && { commit }),
    ...{ files, unchecked },
  }
}

async function commitDrift(
  root: string,
  { commit: was, branch }: World,
  now: string | null,
): Promise<CommitDrift | undefined> {
  if (was === now || (was === null && branch === null)) return undefined
  if (was === null) return { was, now, how: 'ahead', came: Number(await git(root, 'rev-list', '--count', 'HEAD')) }
  const counts =
    now === null ? undefined : await git(root, 'rev-list', '--left-right', '--count', `${was}...${now}`, '--')
  if (counts === undefined) return { was, now, how: 'unknown' }
  const [lost = 0, came = 0] = counts.trim().split(/\s+/).map(Number)
  const how = lost === 0 ? 'ahead' : came === 0 ? 'behind' : 'diverged'
  return { was, now, how, came, lost }
}

async function fileDrift(root: string, saved: World, now: World) {
  const files: FileDrift[] = []
  const unchecked: { path: string; reason: string }[] = []
  const gone: Gone[] = []
  for (const [path, was] of Object.entries(saved.files)) {
    const is = now.files[path] ?? null
    const reason = problemOf(was) ?? problemOf(is)
    const change = changeOf(was, is)
    if (reason !== undefined) unchecked.push({ path, reason })
    else if (change === 'gone' && isFile(was)) gone.push({ path, was })
    else if (change !== undefined) files.push({ path, change })
  }
  files.push(...(await whereTheyWent(root, gone, saved.commit)))
  return { files: files.sort(byPath), unchecked: unchecked.sort(byPath) }
}

function byPath(a: { path: string }, b: { path: string }): number {
  return a.path < b.path ? -1 : 1
}

function changeOf(was: Seen, is: Seen): FileDrift['change'] | undefined {
  if (was === null) return is === null ? undefined : 'appeared'
  if (is === null) return 'gone'
  return isFile(was) && isFile(is) && differ(was, is) ? 'edited' : undefined
}

async function whereTheyWent(root: string, gone: readonly Gone[], commit: string | null): Promise<FileDrift[]> {
  const base = commit !== null && gone.length > 0 && (await hasCommit(root, commit)) ? commit : undefined
  const moved = await movedFiles(root, gone, base)
  return gone.map(({ path, was }) => {
    const found = moved.get(path)
    if (!found) return { path, change: 'gone' }
    const edited = isFile(found.now) && differ(was, found.now)
    return { path, change: 'moved', to: found.to, ...(edited && { edited }) }
  })
}

const REASONS = {
  outside: "It is not below the project's folder.",
  folder: 'It is a folder.',
  not_a_file: 'It is no ordinary file.',
  unreadable: 'It can not be read.',
} as const

function problemOf(seen: Seen): string | undefined {
  return seen && 'problem' in seen ? REASONS[seen.problem] : undefined
}

function isFile(seen: Seen): seen is SeenFile {
  return seen !== null && 'bytes' in seen
}

function differ(was: SeenFile, now: SeenFile): boolean {
  if (was.sha256 === undefined || now.sha256 === undefined) return was.bytes !== now.bytes
  return was.sha256 !== now.sha256
}
