import { defineTool } from '@story-portal/shared/mcp'
import { z } from 'zod'
import { placeOf } from '../place.ts'
import { roleContext, rolesFor } from '../role/role-context.ts'
import { roleNamed } from '../role/roles.ts'
import { MaxTokens, ProjectName, RoleName, TaskId } from '../schema.ts'
import { findTask, taskAt } from '../store.ts'

export default defineTool({
  name: 'get_role_context',
  description:
    'Returns what a role must and must not do, and the parts of a task that it needs, within max_tokens together; omitted says what was cut. Without role, the roles there are; faulty names files that are none. To take a role, call switch_role.',
  effect: 'read',
  input: {
    role: RoleName.optional(),
    task_id: TaskId.optional(),
    project: ProjectName.optional(),
    max_tokens: MaxTokens,
  },
  output: {
    role: z.looseObject({ name: z.string() }).nullable(),
    task: z.looseObject({ task_id: z.string() }).nullable(),
    omitted: z.array(z.looseObject({})),
    not_given: z.array(z.string()),
    roles: z.array(z.looseObject({ name: z.string() })),
    faulty: z.array(z.looseObject({ file: z.string() })),
  },
  prepare: (wanted, ctx) => rolesFor(ctx, wanted),
  async run({ role: name, task_id, project, max_tokens }, { tx, caller }, known): Promise<Shown> {
    const faulty = known.faulty.map((one) => ({ ...one }))
    const roles = [...known.roles.values()].map(({ name: of, title, purpose, source }) => ({
      name: of,
      title,
      purpose,
      source,
    }))
    if (name === undefined) return { role: null, task: null, omitted: [], not_given: [], roles, faulty }
    const role = roleNamed(known, name)
    const place = placeOf(caller, project)
    const task = task_id === undefined ? await taskAt(tx, place) : await findTask(tx, task_id, place)
    const context = await roleContext(tx, task, role, max_tokens)
    return { ...context, task: context.task ?? null, roles: [], faulty }
  },
})

type Loose = { [more: string]: unknown }

interface Shown {
  role: (Loose & { name: string }) | null
  task: (Loose & { task_id: string }) | null
  omitted: Loose[]
  not_given: string[]
  roles: { name: string; title: string; purpose: string; source: string }[]
  faulty: (Loose & { file: string })[]
}
