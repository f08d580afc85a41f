import { defineTool } from '@story-portal/shared/mcp'
import { z } from 'zod'
import { mermaid, taskGraph } from '../graph/task-graph.ts'
import { placeOf } from '../place.ts'
import { ProjectName, TaskId } from '../schema.ts'
import { findProject, findTask } from '../store.ts'

export default defineTool({
  name: 'get_task_graph',
  description:
    'Shows how the tasks of a project are linked: which are ready, what blocks the others, the longest chain of open ones; with format mermaid as a picture too. To link tasks, call link_tasks.',
  effect: 'read',
  input: {
    task_id: TaskId.optional().describe('tcx_...: only what is around it; default: all'),
    project: ProjectName.optional(),
    depth: z.int().min(1).max(20).default(3).describe('Links away from task_id'),
    limit: z.int().min(1).max(500).default(200).describe('At most so many nodes'),
    format: z.enum(['json', 'mermaid']).default('json'),
  },
  output: {
    nodes: z.array(z.looseObject({ id: z.string(), ready: z.boolean() })),
    edges: z.array(z.looseObject({})),
    critical_path: z.array(z.string()),
    omitted: z.int(),
    mermaid: z.string().optional(),
  },
  async run({ task_id, project: name, depth, limit, format }, { tx, caller }): Promise<Shown> {
    const around = task_id === undefined ? undefined : await findTask(tx, task_id, { name: '' })
    const project = around?.project_id ?? (await findProject(tx, placeOf(caller, name)))?.id
    if (project === undefined) return { nodes: [], edges: [], critical_path: [], omitted: 0 }
    const graph = await taskGraph(tx, project, { around: around?.id, depth, limit })
    return { ...graph, ...(format === 'mermaid' && { mermaid: mermaid(graph) }) }
  },
})

type Loose = { [more: string]: unknown }

interface Shown {
  nodes: (Loose & { id: string; ready: boolean })[]
  edges: Loose[]
  critical_path: string[]
  omitted: number
  mermaid?: string
}
