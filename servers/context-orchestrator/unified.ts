import type { Tx } from '@story-portal/shared/db'
import { WHOLE } from './checkpoint.ts'
import { fit, type Omitted } from './fit.ts'
import { readVersion, type Task } from './store.ts'

/** A version of a task as clients see it, within a budget, and what that left out. */
export async function shownTask(
  tx: Tx,
  task: Task,
  { version, maxTokens }: { version?: number | undefined; maxTokens: number },
) {
  const shown = version ?? task.head
  const { kept: checkpoint, omitted } = fit(await readVersion(tx, task.id, shown), maxTokens, WHOLE)
  const { id: task_id, title, status, updated_at } = task
  return { task: { task_id, title, status, version: shown, updated_at, checkpoint }, omitted: omitted as Omitted[] }
}
