import { createRecord } from '@story-portal/shared/data'
import { defineTool } from '@story-portal/shared/mcp'
import { z } from 'zod'
import { shownMark } from '../checkpoints.ts'
import { placeOf } from '../place.ts'
import { ProjectName, TaskId } from '../schema.ts'
import { findTask, readBody } from '../store.ts'

export default defineTool({
  name: 'create_checkpoint',
  description: 'Marks a version of a task with a label, for good. To go back to it, call rollback_to.',
  effect: 'create',
  input: {
    task_id: TaskId.optional(),
    project: ProjectName.optional(),
    label: z.string().trim().min(1).max(200).describe('Such as: before the rewrite'),
    note: z.string().trim().min(1).max(2000).optional().describe('More'),
    version: z.int().min(1).optional().describe('Default: the newest'),
  },
  output: { checkpoint: z.looseObject({ checkpoint_id: z.string(), version: z.int() }) },
  async run({ task_id, project, label, note = null, version }, { tx, caller }) {
    const task = await findTask(tx, task_id, placeOf(caller, project))
    const number = version ?? task.head
    await readBody(tx, task.id, number)
    const mark = await createRecord(tx, 'context_checkpoint', { task_context_id: task.id, number, label, note })
    return { checkpoint: shownMark(mark) }
  },
})
