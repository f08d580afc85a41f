import { listRecords } from '@story-portal/shared/data'
import { errors } from '@story-portal/shared/errors'
import { defineTool } from '@story-portal/shared/mcp'
import { z } from 'zod'
import { placeOf } from '../place.ts'
import { ProjectName, Status } from '../schema.ts'
import { currentTask, findProject } from '../store.ts'

export default defineTool({
  name: 'list_task_contexts',
  description: 'Lists tasks of a project, the latest saved first. To go on with one, call switch_task.',
  effect: 'read',
  input: {
    project: ProjectName.optional(),
    status: Status.optional(),
    query: z.string().trim().min(1).max(500).optional().describe('Words of the title'),
    limit: z.int().min(1).max(200).default(50).describe('Page size'),
    cursor: z.string().max(2000).optional().describe('next_cursor'),
  },
  output: {
    project: z.string().nullable(),
    items: z.array(z.looseObject({ task_id: z.string() })),
    next_cursor: z.string().nullable(),
  },
  async run({ project: name, status, query, limit, cursor }, { tx, caller }) {
    const project = await findProject(tx, placeOf(caller, name))
    if (name !== undefined && project === undefined) throw unknownProject(name)
    if (project === undefined) return NOTHING
    const filter = { project_id: project.id, ...(status && { status }) }
    const page = await listRecords(tx, 'task_context', { filter, query, sort: '-updated_at', limit, cursor })
    const current = (await currentTask(tx, project))?.id
    const items = page.items.map(({ id, title, status, head, created_at, updated_at }) => {
      const shown = { task_id: id, project: project.name, title, status, version: head }
      return { ...shown, current: id === current, created_at, updated_at }
    })
    return { project: project.name, items, next_cursor: page.next_cursor }
  },
})

const NOTHING = { project: null, items: [], next_cursor: null }

function unknownProject(name: string) {
  return errors.notFound({ kind: 'project', id: name }, { hint: 'list_records on data with kind project shows them.' })
}
