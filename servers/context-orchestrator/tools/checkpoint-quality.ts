import { defineTool } from '@story-portal/shared/mcp'
import { z } from 'zod'
import { placeOf } from '../place.ts'
import { judge } from '../role/gate.ts'
import { rolesFor } from '../role/role-context.ts'
import { roleNamed } from '../role/roles.ts'
import { ProjectName, RoleName, TaskId } from '../schema.ts'
import { findTask, readVersion } from '../store.ts'

export default defineTool({
  name: 'checkpoint_quality',
  description:
    'Judges what is saved of a task by stated rules: a score, and each finding with why it matters and what to do. With role, by the gate of that role. To hand over, call track_handoff.',
  effect: 'read',
  input: {
    task_id: TaskId.optional(),
    project: ProjectName.optional(),
    version: z.int().min(1).optional().describe('Default: the newest'),
    role: RoleName.optional(),
  },
  output: {
    task_id: z.string(),
    version: z.int(),
    score: z.int().describe('0 to 100; findings cost 25, 10 or 5'),
    passes: z.boolean(),
    findings: z.array(z.looseObject({ rule: z.string(), part: z.string(), severity: z.string() })),
    unmet: z.array(z.string()),
  },
  prepare: (wanted, ctx) => rolesFor(ctx, wanted),
  async run({ task_id, project, version, role }, { tx, caller }, known) {
    const gate = role === undefined ? undefined : roleNamed(known, role)
    const task = await findTask(tx, task_id, placeOf(caller, project))
    const number = version ?? task.head
    return { task_id: task.id, version: number, ...judge(await readVersion(tx, task.id, number), gate) }
  },
})
