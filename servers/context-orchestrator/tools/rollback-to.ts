import type { Tx } from '@story-portal/shared/db'
import { badInput } from '@story-portal/shared/errors'
import { defineTool } from '@story-portal/shared/mcp'
import { z } from 'zod'
import type { Checkpoint } from '../checkpoint.ts'
import { checkpointOf } from '../checkpoints.ts'
import { conflictOf } from '../conflict.ts'
import { taskDrift } from '../drift/task-drift.ts'
import { changedParts } from '../merge.ts'
import { placeOf } from '../place.ts'
import { ExpectedVersion, ProjectName, TaskId } from '../schema.ts'
import { addVersion, findTask, lockTask, readBody, readVersion, readWorld } from '../store.ts'

const Target = z.strictObject({
  type: z.enum(['version', 'checkpoint']),
  version: z.int().min(1).optional(),
  checkpoint_id: z.string().max(64).optional(),
})

export default defineTool({
  name: 'rollback_to',
  description:
    'Makes an older version the newest again, as a new version; nothing is lost. changed names the parts that differ from before, drift what differs in the project from the time of that version. With an old expected_version nothing is done and conflict says why.',
  effect: 'update',
  idempotent: false,
  input: {
    task_id: TaskId.optional(),
    project: ProjectName.optional(),
    target: Target.describe('type version with version, or type checkpoint with checkpoint_id'),
    expected_version: ExpectedVersion.optional(),
  },
  output: {
    task_id: z.string(),
    version: z.int(),
    restored_from: z.int().nullable(),
    changed: z.array(z.string()),
    drift: z.looseObject({ checked: z.boolean() }),
    conflict: z.looseObject({}).optional(),
  },
  prepare: ({ task_id, project, target }, ctx) =>
    taskDrift(ctx, async (tx) => {
      const task = await findTask(tx, task_id, placeOf(ctx.caller, project))
      return { task, version: (await wanted(tx, task.id, target)).number }
    }),
  async run({ task_id, project, target, expected_version }, { tx, caller }, drift) {
    const task = await lockTask(tx, task_id ?? (await findTask(tx, task_id, placeOf(caller, project))).id)
    const { number, name } = await wanted(tx, task.id, target)
    const known = { task_id: task.id, version: task.head, restored_from: null, changed: [], drift }
    const conflict = await conflictOf(tx, task, expected_version)
    if (conflict) return { ...known, conflict }
    const body = await readBody(tx, task.id, number)
    const before = await readVersion(tx, task.id, task.head)
    const world = await readWorld(tx, task.id, number)
    const version = await addVersion(tx, task, body, { summary: `Back to ${name}`, restored_from: number, world })
    return { ...known, version, restored_from: number, changed: changedParts(before, JSON.parse(body) as Checkpoint) }
  },
})

async function wanted(tx: Tx, taskId: string, { type, version, checkpoint_id }: z.output<typeof Target>) {
  if (type === 'version') {
    if (version === undefined) throw badInput('target.version', 'is needed with type version')
    return { number: version, name: `version ${version}` }
  }
  if (checkpoint_id === undefined) throw badInput('target.checkpoint_id', 'is needed with type checkpoint')
  const { number, label } = await checkpointOf(tx, taskId, checkpoint_id)
  return { number, name: `version ${number}, ${label}` }
}
