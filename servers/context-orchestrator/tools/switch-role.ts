import { defineTool } from '@story-portal/shared/mcp'
import { z } from 'zod'
import { faults } from '../errors.ts'
import { placeOf } from '../place.ts'
import { assignRole } from '../role/assignments.ts'
import { roleContext, rolesFor } from '../role/role-context.ts'
import { roleNamed } from '../role/roles.ts'
import { MaxTokens, ProjectName, RoleName, SessionId, TaskId } from '../schema.ts'
import { aliveSession, beat } from '../sessions.ts'
import { findTask, lockTask } from '../store.ts'

export default defineTool({
  name: 'switch_role',
  description:
    'Takes a role on a task, for a session or for whoever works on it, and returns what the role needs; the role before ends. To only read, call get_role_context.',
  effect: 'update',
  input: {
    role: RoleName,
    task_id: TaskId.optional(),
    project: ProjectName.optional(),
    session_id: SessionId.optional(),
    note: z.string().trim().min(1).max(2000).optional().describe('Why'),
    max_tokens: MaxTokens,
  },
  output: {
    before: z.string().nullable(),
    role: z.looseObject({ name: z.string() }),
    task: z.looseObject({ task_id: z.string() }),
    omitted: z.array(z.looseObject({})),
    not_given: z.array(z.string()),
  },
  prepare: (wanted, ctx) => rolesFor(ctx, wanted),
  async run({ role: name, task_id, project, session_id, note, max_tokens }, { tx, caller }, known) {
    const role = roleNamed(known, name)
    const session = session_id === undefined ? undefined : await aliveSession(tx, session_id)
    if (session) await beat(tx, session.id)
    const wanted = task_id ?? session?.task_context_id ?? undefined
    const task = await lockTask(tx, (await findTask(tx, wanted, placeOf(caller, project))).id)
    if (session && session.project_id !== task.project_id) throw faults.otherProject({ task: task.id })
    const before = await assignRole(tx, task, { role: name, session_id, note })
    return { before: before?.role ?? null, ...(await roleContext(tx, task, role, max_tokens)) }
  },
})
