import { defineTool } from '@story-portal/shared/mcp'
import { z } from 'zod'
import { addLink, assertLinkable, findLink, linkBetween, removeLink } from '../graph/links.ts'
import { placeOf } from '../place.ts'
import { ProjectName, TaskId } from '../schema.ts'
import { findTask, lockProject } from '../store.ts'

export default defineTool({
  name: 'link_tasks',
  description:
    'Links a task with another of its project, or with a task or goal of planning, whose state then counts; with remove, unlinks them. Circles are refused. To see the links, call get_task_graph.',
  effect: 'update',
  input: {
    task_id: TaskId.optional(),
    project: ProjectName.optional(),
    relation: z.enum(['blocks', 'depends_on', 'related_to', 'parent']).describe('parent: target_id is the parent'),
    target_id: z
      .string()
      .regex(/^(tcx|tsk|gol)_[a-z0-9]{1,60}$/, 'must be tcx_..., tsk_... or gol_...')
      .describe('tcx_..., or tsk_..., gol_... of planning'),
    remove: z.boolean().default(false).describe('Unlinks'),
  },
  output: {
    link: z.looseObject({ task_id: z.string(), relation: z.string(), target_id: z.string() }),
    changed: z.boolean().describe('False: it was so before'),
  },
  async run({ task_id, project: name, relation, target_id, remove }, { tx, caller }) {
    const task = await findTask(tx, task_id, placeOf(caller, name))
    const { id: project } = await lockProject(tx, task.project_id)
    const edge = linkBetween(task.id, relation, target_id)
    const known = await findLink(tx, edge)
    // What is linked is unlinked, also when its target was deleted since.
    if (remove && known) await removeLink(tx, known)
    else await assertLinkable(tx, task, relation, target_id)
    if (!remove && !known) await addLink(tx, project, edge)
    const { task_context_id, ...link } = edge
    return { link: { task_id: task_context_id, ...link }, changed: remove === (known !== undefined) }
  },
})
