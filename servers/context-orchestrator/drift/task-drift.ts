import type { Caller } from '@story-portal/shared/auth'
import { getRecord } from '@story-portal/shared/data'
import type { ScopedDb, Tx } from '@story-portal/shared/db'
import { readVersion, readWorld, type Task } from '../store.ts'
import { type Drift, driftOf } from './drift.ts'
import { type LinkedDrift, linkedSince } from './linked-since.ts'
import { type Reach, reachableRoot } from './reachable-root.ts'
import type { World } from './world.ts'

/** What has to be read of a version before its world is compared with the one outside. */
export type Saved = { task_id: string; version: number; world: World; reach: Reach; linked: LinkedDrift[] }

/** The world of a version; of one that was saved by a client without a folder, the digests that the assistant gave itself. */
export async function savedWorld(tx: Tx, caller: Caller, task: Task, version = task.head): Promise<Saved> {
  const { root } = await getRecord(tx, 'project', task.project_id)
  const known = await readWorld(tx, task.id, version)
  const { key_files = [] } = await readVersion(tx, task.id, version)
  const given = key_files.flatMap(({ path, sha256 }) => (sha256 === undefined ? [] : [[path, { sha256 }] as const]))
  const files = { ...Object.fromEntries(given), ...known?.files }
  const world = { commit: null, branch: null, ...known, files }
  const linked = await linkedSince(tx, task.id, version)
  return { task_id: task.id, version, world, reach: reachableRoot(caller, root), linked }
}

export async function compareSaved({ version, world, reach, linked }: Saved): Promise<Drift> {
  const more = linked.length > 0 ? { linked } : {}
  if ('reason' in reach) return { checked: false, reason: reach.reason, ...more }
  const drift = await driftOf(reach.root, world, version)
  return { ...drift, ...(linked.length > 0 && { drifted: true }), ...more }
}

/** The drift of one task, before the transaction in which it is shown: disks and git are slow. */
export async function taskDrift(
  { caller, db }: { caller: Caller; db: ScopedDb },
  find: (tx: Tx) => Promise<{ task: Task; version?: number | undefined }>,
): Promise<Drift> {
  const saved = await db.read(async (tx) => {
    const { task, version } = await find(tx)
    return savedWorld(tx, caller, task, version)
  })
  return compareSaved(saved)
}
