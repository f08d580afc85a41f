import { getRecord } from '@story-portal/shared/data'
import { defineTool } from '@story-portal/shared/mcp'
import { z } from 'zod'
import { taskDrift } from '../drift/task-drift.ts'
import { placeOf } from '../place.ts'
import { MaxTokens, ProjectName, TaskId } from '../schema.ts'
import { findTask } from '../store.ts'
import { unifiedContext } from '../unified.ts'

export default defineTool({
  name: 'get_unified_context',
  description:
    'Returns the saved context of a task with its links, conflicts and marks within max_tokens, the most valuable parts first; omitted says what was cut, drift what has changed in the project since. Of list parts the newest entries stay. To save, call save_context_snapshot.',
  effect: 'read',
  input: {
    task_id: TaskId.optional(),
    project: ProjectName.optional(),
    max_tokens: MaxTokens,
    version: z.int().min(1).optional().describe('An older version; default: the newest'),
  },
  output: {
    project: z.looseObject({}),
    drift: z.looseObject({ checked: z.boolean() }),
    task: z.looseObject({ task_id: z.string(), version: z.int(), checkpoint: z.looseObject({}) }),
    relationships: z.array(z.looseObject({})),
    conflicts: z.array(z.looseObject({})),
    checkpoints: z.array(z.looseObject({})),
    omitted: z.array(z.looseObject({})),
  },
  prepare: ({ task_id, project, version }, ctx) =>
    taskDrift(ctx, async (tx) => ({ task: await findTask(tx, task_id, placeOf(ctx.caller, project)), version })),
  async run({ task_id, project, max_tokens, version }, { tx, caller }, drift) {
    const task = await findTask(tx, task_id, placeOf(caller, project))
    const { id, name, root } = await getRecord(tx, 'project', task.project_id)
    return {
      project: { id, name, root },
      drift,
      ...(await unifiedContext(tx, task, { version, maxTokens: max_tokens })),
    }
  },
})
