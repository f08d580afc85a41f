import { findRecord, listRecords, type RecordOf } from '@story-portal/shared/data'
import type { Tx } from '@story-portal/shared/db'
import { errors } from '@story-portal/shared/errors'

export type Mark = RecordOf<'context_checkpoint'>

/** As clients see a mark; what they call its version is that of the task. */
export function shownMark({ id, task_context_id, number, label, note, created_at, created_by }: Mark) {
  return { checkpoint_id: id, task_id: task_context_id, version: number, label, note, created_at, created_by }
}

/** The newest marks of a task, the latest first. */
export async function latestCheckpoints(tx: Tx, taskId: string) {
  const filter = { task_context_id: taskId }
  const { items } = await listRecords(tx, 'context_checkpoint', { filter, sort: '-created_at', limit: 5 })
  return items.map((mark) => {
    const { checkpoint_id, version, label } = shownMark(mark)
    return { checkpoint_id, version, label }
  })
}

/** A mark of this very task; another task's is not there. */
export async function checkpointOf(tx: Tx, taskId: string, id: string): Promise<Mark> {
  const mark = await findRecord(tx, 'context_checkpoint', id)
  if (mark?.task_context_id === taskId) return mark
  throw errors.notFound(
    { kind: 'checkpoint', id: `${id} of ${taskId}` },
    { hint: 'get_unified_context shows the latest of a task, list_records on data all: kind context_checkpoint.' },
  )
}
