import { createRecord, getRecord } from '@story-portal/shared/data'
import type { Tx } from '@story-portal/shared/db'
import { defineTool } from '@story-portal/shared/mcp'
import { z } from 'zod'
import { checkedUpdates } from '../checked-updates.ts'
import type { Checkpoint, Updates } from '../checkpoint.ts'
import { faults } from '../errors.ts'
import { changedParts, merge } from '../merge.ts'
import { placeOf } from '../place.ts'
import { ProjectName, TaskId } from '../schema.ts'
import {
  addVersion,
  findProject,
  latestTask,
  lockCreation,
  makeProject,
  type Place,
  readVersion,
  type Task,
} from '../store.ts'

export default defineTool({
  name: 'save_context_snapshot',
  description:
    'Saves what changed in a task as a new version; creates project and task when there are none. With an old expected_version nothing is saved and conflict has both sides. To read, call get_unified_context.',
  effect: 'update',
  input: {
    task_id: TaskId.optional(),
    project: ProjectName.optional(),
    updates: z
      .record(z.string(), z.unknown())
      .describe(
        'Parts that changed, null empties one. Texts: goal, next_action, notes. Lists of texts: constraints, done_steps, pending_steps, blockers, open_approvals. Lists of objects: decisions {decision, reason?, evidence?: [text]}, key_files {path, sha256?, commit?}, tests {name, result}, locked_elements {element, reason?}',
      ),
    expected_version: z.int().min(0).optional().describe('Version the updates were made on'),
    summary: z.string().min(1).max(2000).optional().describe('What this save is about'),
  },
  output: {
    task_id: z.string(),
    version: z.int(),
    changed: z.array(z.string()),
    conflict: z.looseObject({}).optional(),
  },
  async run({ task_id, project, updates: given, expected_version, summary }, { tx, caller }) {
    const updates = checkedUpdates(given)
    const task = task_id === undefined ? await taskAt(tx, placeOf(caller, project), updates) : await locked(tx, task_id)
    const before = await readVersion(tx, task.id, task.head)
    const known = { task_id: task.id, version: task.head, changed: [] }
    if (expected_version !== undefined && expected_version !== task.head) {
      if (expected_version > task.head)
        throw faults.futureVersion({ version: String(task.head), expected: String(expected_version) })
      return { ...known, conflict: await bothSides(tx, task, { expected_version, updates, before }) }
    }
    const after = merge(before, updates)
    const changed = changedParts(before, after)
    if (changed.length === 0 && task.head > 0) return known
    return { task_id: task.id, version: await addVersion(tx, task, after, summary), changed }
  },
})

function locked(tx: Tx, id: string): Promise<Task> {
  return getRecord(tx, 'task_context', id, { forUpdate: true })
}

async function taskAt(tx: Tx, place: Place, updates: Updates): Promise<Task> {
  await lockCreation(tx)
  const project = (await findProject(tx, place)) ?? (await makeProject(tx, place))
  const latest = await latestTask(tx, project.id)
  if (latest !== undefined) return locked(tx, latest.id)
  const title = (updates.goal ?? project.name).slice(0, 300)
  return createRecord(tx, 'task_context', { project_id: project.id, title, head: 0 })
}

async function bothSides(
  tx: Tx,
  task: Task,
  asked: { expected_version: number; updates: Updates; before: Checkpoint },
): Promise<Record<string, unknown>> {
  const { expected_version, updates, before } = asked
  const base = await readVersion(tx, task.id, expected_version)
  return {
    expected_version,
    current_version: task.head,
    changed_since: changedParts(base, before),
    yours: updates,
    theirs: before,
  }
}
