import { canonicalJson, updateKnown } from '@story-portal/shared/data'
import type { Tx } from '@story-portal/shared/db'
import type { Checkpoint } from './checkpoint.ts'
import type { World } from './drift/world.ts'
import { changedParts } from './merge.ts'
import { addVersion, type More, readVersion, readWorld, type Task } from './store.ts'

/** What a save did: the task's newest version now, the parts that changed, and `status` when that did. */
export type Saved = {
  version: number
  changed: string[]
}

/**
 * Saves what a locked task holds from now on. Nothing changed, also not in the world that was looked at: no new version, except that
 * every task has a first one.
 */
export async function save(
  tx: Tx,
  task: Task,
  { change, ...more }: More & { change: (before: Checkpoint) => Checkpoint },
): Promise<Saved> {
  const before = await readVersion(tx, task.id, task.head)
  const after = change(before)
  const changed = changedParts(before, after)
  const { status = task.status } = more
  const moved = status === task.status ? [] : ['status']
  const elsewhere = changed.length === 0 && (await worldChanged(tx, task, more.world)) ? ['world'] : []
  if (changed.length > 0 || elsewhere.length > 0 || task.head === 0) {
    const version = await addVersion(tx, task, canonicalJson(after), more)
    return { version, changed: [...changed, ...elsewhere, ...moved] }
  }
  if (moved.length > 0) await updateKnown(tx, 'task_context', task, { status })
  return { version: task.head, changed: moved }
}

async function worldChanged(tx: Tx, task: Task, world: World | null | undefined): Promise<boolean> {
  if (!world) return false
  const known = await readWorld(tx, task.id, task.head)
  return canonicalJson(known ?? {}) !== canonicalJson(world)
}
