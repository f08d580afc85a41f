import type { Tx } from '@story-portal/shared/db'
import type { Checkpoint, Part } from './checkpoint.ts'
import { faults } from './errors.ts'
import { changedParts } from './merge.ts'
import { readVersion, type Task } from './store.ts'

/** What has happened to a task since the version that a caller knows. */
export type Conflict = {
  expected_version: number
  current_version: number
  changed_since: Part[]
  theirs: Checkpoint
}

/** Undefined when a locked task is still at the version that the caller knows, or none was said. One ahead of it: E14002. */
export async function conflictOf(tx: Tx, task: Task, expected: number | undefined): Promise<Conflict | undefined> {
  if (expected === undefined || expected === task.head) return undefined
  if (expected > task.head) throw faults.futureVersion({ version: String(task.head), expected: String(expected) })
  const base = await readVersion(tx, task.id, expected)
  const theirs = await readVersion(tx, task.id, task.head)
  const changed_since = changedParts(base, theirs)
  return { expected_version: expected, current_version: task.head, changed_since, theirs }
}
