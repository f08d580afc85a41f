import { defineTool } from '@story-portal/shared/mcp'
import { z } from 'zod'
import { checkedUpdates } from '../checked-updates.ts'
import { saveTarget } from '../drift/save-target.ts'
import { seeTaskWorld } from '../drift/see-task-world.ts'
import { merge } from '../merge.ts'
import { placeOf } from '../place.ts'
import { save } from '../save.ts'
import { ProjectName, Title } from '../schema.ts'
import { lockProject, makeTask, projectAt } from '../store.ts'

export default defineTool({
  name: 'create_task_context',
  description: 'Adds a task to a project and makes it the current one. To save to a task, call save_context_snapshot.',
  effect: 'create',
  input: {
    title: Title,
    project: ProjectName.optional(),
    updates: z.record(z.string(), z.unknown()).optional().describe('First parts, as in save_context_snapshot'),
  },
  output: { task_id: z.string(), version: z.int() },
  prepare: ({ project, updates = {} }, ctx) =>
    seeTaskWorld(ctx, checkedUpdates(updates), async (tx) => {
      const { root } = await saveTarget(tx, ctx.caller, { project })
      return { root }
    }),
  async run({ title, project: name, updates: given = {} }, { tx, caller }, world) {
    const updates = checkedUpdates(given)
    const project = await lockProject(tx, (await projectAt(tx, placeOf(caller, name))).id)
    const task = await makeTask(tx, project, title)
    const { version } = await save(tx, task, { change: (before) => merge(before, updates), world })
    return { task_id: task.id, version, project: { id: project.id, name: project.name } }
  },
})
