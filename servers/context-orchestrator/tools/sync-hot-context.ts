import path from 'node:path'
import { findRecord } from '@story-portal/shared/data'
import type { Tx } from '@story-portal/shared/db'
import { defineTool } from '@story-portal/shared/mcp'
import { sql } from 'kysely'
import { z } from 'zod'
import { reachableRoot } from '../drift/reachable-root.ts'
import { faults } from '../errors.ts'
import { mirrorFolder } from '../mirror/mirror-folder.ts'
import { type Synced, syncTask } from '../mirror/sync-task.ts'
import { placeOf } from '../place.ts'
import { ProjectName, TaskId } from '../schema.ts'
import { findTask, lockProject, type Task } from '../store.ts'

export default defineTool({
  name: 'sync_hot_context',
  description:
    'Writes the active tasks of a project as Markdown and JSON into its folder, for people and git. A file that was edited by hand is left alone, and its edit becomes a conflict for resolve_conflict. To save, call save_context_snapshot.',
  effect: 'update',
  openWorld: true,
  input: {
    task_id: TaskId.optional().describe('tcx_...: only this one'),
    project: ProjectName.optional(),
    folder: z.string().min(1).max(500).default('.claude/contexts').describe("In the project's folder"),
  },
  output: {
    folder: z.string(),
    files: z.array(z.looseObject({ path: z.string(), state: z.string() })),
    omitted: z.int().describe('Active tasks beyond the latest 50'),
  },
  async run({ task_id, project: name, folder }, { tx, caller }): Promise<Mirror> {
    const first = await findTask(tx, task_id, placeOf(caller, name))
    // Also for the files: two that sync at once take turns.
    const project = await lockProject(tx, first.project_id)
    const reach = reachableRoot(caller, project.root)
    if ('reason' in reach) throw faults.noMirror({ reason: reach.reason })
    const target = await mirrorFolder(reach.root, folder)
    const tasks = task_id === undefined ? await activeTasks(tx, project.id) : [first]
    const files: Synced[] = []
    for (const task of tasks.slice(0, MOST_TASKS)) files.push(...(await syncTask(tx, task, target)))
    const omitted = Math.max(0, tasks.length - MOST_TASKS)
    return { folder: path.relative(reach.root, target), files: files.map((file) => ({ ...file })), omitted }
  },
})

const MOST_TASKS = 50

interface Mirror {
  folder: string
  files: { path: string; state: string; [more: string]: unknown }[]
  omitted: number
}

async function activeTasks(tx: Tx, projectId: string): Promise<Task[]> {
  const { rows } = await sql<{ id: string }>`
    select id from core.task_contexts where tenant_id = current_setting('app.tenant') and project_id = ${projectId}
      and status = 'active' and head > 0 and deleted_at is null order by updated_at desc, id limit 1000`.execute(tx)
  const tasks: Task[] = []
  for (const [i, { id }] of rows.entries()) {
    const task = i < MOST_TASKS ? await findRecord(tx, 'task_context', id) : undefined
    if (task) tasks.push(task)
  }
  return tasks
}
