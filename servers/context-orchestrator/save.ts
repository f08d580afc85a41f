import { canonicalJson, updateKnown } from '@story-portal/shared/data'
import type { Tx } from '@story-portal/shared/db'
import type { Checkpoint } from './checkpoint.ts'
import { changedParts } from './merge.ts'
import { addVersion, type More, readVersion, type Task } from './store.ts'

/** What a save did: the task's newest version now, the parts that changed, and `status` when that did. */
export type Saved = {
  version: number
  changed: string[]
}

/** Saves what a locked task holds from now on. Nothing changed: no new version, except that every task has a first one. */
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
  if (changed.length > 0 || task.head === 0) {
    return { version: await addVersion(tx, task, canonicalJson(after), more), changed: [...changed, ...moved] }
  }
  if (moved.length > 0) await updateKnown(tx, 'task_context', task, { status })
  return { version: task.head, changed: moved }
}
