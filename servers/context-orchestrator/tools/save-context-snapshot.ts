import { getRecord, updateRecord } from '@story-portal/shared/data'
import type { Tx } from '@story-portal/shared/db'
import { defineTool } from '@story-portal/shared/mcp'
import { z } from 'zod'
import { checkedUpdates } from '../checked-updates.ts'
import type { Checkpoint, Updates } from '../checkpoint.ts'
import { type Conflict, conflictOf } from '../conflict.ts'
import { type Found, storeFound } from '../conflicts/found.ts'
import { saveTarget } from '../drift/save-target.ts'
import { seeTaskWorld } from '../drift/see-task-world.ts'
import { faults } from '../errors.ts'
import { heldLeases, type Lease } from '../leases.ts'
import { merge } from '../merge.ts'
import { placeOf } from '../place.ts'
import { save } from '../save.ts'
import { ExpectedVersion, ProjectName, SessionId, Status, TaskId, UpdatesInput } from '../schema.ts'
import { aliveSession, beat, type Session } from '../sessions.ts'
import { lockTask, type Project, projectAt, type Task, taskToSave } from '../store.ts'

export default defineTool({
  name: 'save_context_snapshot',
  description:
    'Saves what changed in a task as a new version; creates project and task when there are none. With an old expected_version the task stays as it is, and conflict has both sides, for resolve_conflict. To read, call get_unified_context.',
  effect: 'update',
  input: {
    task_id: TaskId.optional(),
    project: ProjectName.optional(),
    updates: UpdatesInput,
    expected_version: ExpectedVersion.optional(),
    summary: z.string().min(1).max(2000).optional().describe('What this save is about'),
    status: Status.optional(),
    session_id: SessionId.optional(),
  },
  output: {
    task_id: z.string(),
    version: z.int(),
    changed: z.array(z.string()),
    conflict: z.looseObject({}).optional(),
  },
  prepare: ({ updates, ...wanted }, ctx) =>
    seeTaskWorld(ctx, checkedUpdates(updates), (tx) => saveTarget(tx, ctx.caller, wanted)),
  async run({ task_id, project, updates: given, session_id, ...args }, { tx, caller }, world) {
    const { expected_version, summary, status } = args
    const session = session_id === undefined ? undefined : await aliveSession(tx, session_id)
    if (session) await beat(tx, session.id)
    const updates = checkedUpdates(given)
    const task = await taskOf(tx, { task_id, session, goal: updates.goal }, () =>
      projectAt(tx, placeOf(caller, project)),
    )
    if (session && session.task_context_id !== task.id)
      await updateRecord(tx, 'session', session.id, { task_context_id: task.id })
    const known = { task_id: task.id, version: task.head, changed: [] }
    const [holder] = session ? (await heldLeases(tx, task.project_id, [task.id])).filter(notOf(session)) : []
    if (holder) {
      const { id: conflict_id } = await storeFound(tx, task.project_id, fenced(task, holder, updates))
      return { ...known, conflict: { conflict_id, held_by: holder, yours: updates } }
    }
    const conflict = await conflictOf(tx, task, expected_version)
    if (conflict) {
      const { id: conflict_id } = await storeFound(tx, task.project_id, divergence(task, conflict, updates))
      return { ...known, conflict: { conflict_id, ...conflict, yours: updates } }
    }
    const change = (before: Checkpoint) => merge(before, updates)
    return { ...known, ...(await save(tx, task, { change, summary, status, world })) }
  },
})

/** What was not saved is kept with the conflict: nobody has to send it again. */
function divergence(task: Task, { expected_version, current_version, changed_since }: Conflict, yours: Updates): Found {
  return {
    kind: 'version_divergence',
    task_context_id: task.id,
    about: [task.id, expected_version, yours],
    explanation: `A save of "${task.title}" knew version ${expected_version}; it was at ${current_version} already.`,
    sides: { expected_version, current_version, changed_since, yours },
  }
}

const notOf = (session: Session) => (lease: Lease) => lease.session_id !== session.id

/** A session saves to a task that another one holds: it may have slept through the end of its own lease. */
function fenced(task: Task, holder: Lease, yours: Updates): Found {
  return {
    kind: 'version_divergence',
    task_context_id: task.id,
    about: [task.id, 'fence', holder.fence, yours],
    explanation: `A session saved to "${task.title}" while another holds it, until ${holder.expires_at}.`,
    sides: { held_by: holder, current_version: task.head, yours },
  }
}

interface Wanted {
  task_id: string | undefined
  session: Session | undefined
  goal: string | null | undefined
}

/** The task that is named, else that of the session, else the current one of the session's project or of the place. */
async function taskOf(tx: Tx, { task_id, session, goal }: Wanted, here: () => Promise<Project>): Promise<Task> {
  const own = task_id ?? session?.task_context_id ?? undefined
  if (own === undefined) return taskToSave(tx, await (session ? projectOfSession(tx, session, here) : here()), goal)
  const task = await lockTask(tx, own)
  if (session && session.project_id !== task.project_id) throw faults.otherProject({ task: own })
  return task
}

async function projectOfSession(tx: Tx, { project_id }: Session, here: () => Promise<Project>): Promise<Project> {
  return project_id === null ? here() : getRecord(tx, 'project', project_id)
}
