import { getRecord, updateKnown, updateRecord } from '@story-portal/shared/data'
import type { Tx } from '@story-portal/shared/db'
import { defineTool } from '@story-portal/shared/mcp'
import { z } from 'zod'
import { checkedUpdates } from '../checked-updates.ts'
import type { Updates } from '../checkpoint.ts'
import { conflictOf } from '../conflict.ts'
import type { Drift } from '../drift/drift.ts'
import { type SaveTarget, saveTarget } from '../drift/save-target.ts'
import { seeTaskWorld } from '../drift/see-task-world.ts'
import { taskDrift } from '../drift/task-drift.ts'
import type { World } from '../drift/world.ts'
import { faults } from '../errors.ts'
import type { Omitted } from '../fit.ts'
import { merge } from '../merge.ts'
import { save } from '../save.ts'
import { ExpectedVersion, MaxTokens, SessionId, TaskId, UpdatesInput } from '../schema.ts'
import { aliveSession, beat, type Session } from '../sessions.ts'
import { currentTask, findTask, lockProject, lockTask, type Project, type Task } from '../store.ts'
import { shownTask } from '../unified.ts'

export default defineTool({
  name: 'switch_task',
  description:
    'Makes another task of its project the current one and returns its context; updates are saved to the task that is left, in the same step. With an old expected_version nothing is done. For a new task, call create_task_context.',
  effect: 'update',
  input: {
    task_id: TaskId.describe('To go on with, tcx_...'),
    updates: UpdatesInput.optional(),
    expected_version: ExpectedVersion.optional().describe('Version you know of the task that is left'),
    session_id: SessionId.optional(),
    max_tokens: MaxTokens,
  },
  output: {
    left: z.looseObject({ task_id: z.string(), version: z.int() }).nullable(),
    task: z.looseObject({ task_id: z.string(), version: z.int(), checkpoint: z.looseObject({}) }).nullable(),
    drift: z.looseObject({}),
    omitted: z.array(z.looseObject({})),
    conflict: z.looseObject({}).optional(),
  },
  prepare: async ({ task_id, updates, session_id }, ctx) => ({
    drift: await taskDrift(ctx, async (tx) => ({ task: await findTask(tx, task_id, { name: '' }) })),
    world:
      updates &&
      (await seeTaskWorld(ctx, checkedUpdates(updates), (tx) =>
        session_id === undefined ? currentBeside(tx, task_id) : saveTarget(tx, ctx.caller, { session_id }),
      )),
  }),
  async run({ task_id, session_id, max_tokens, ...args }, { tx }, { drift, world }): Promise<Switched> {
    const { updates: given, expected_version } = args
    const updates = given === undefined ? undefined : checkedUpdates(given)
    const session = session_id === undefined ? undefined : await aliveSession(tx, session_id)
    const next = await findTask(tx, task_id, { name: '' })
    const project = await lockProject(tx, next.project_id)
    if (session && session.project_id !== project.id) throw faults.otherProject({ task: task_id })
    const leaving = await taskLeft(tx, project, session)
    const conflict = leaving && (await conflictOf(tx, leaving, expected_version))
    if (leaving && conflict)
      return {
        left: { task_id: leaving.id, version: leaving.head },
        task: null,
        drift,
        omitted: [],
        conflict: { ...conflict, yours: updates ?? {} },
      }
    const left = leaving && (await saveLeft(tx, leaving, updates && { updates, world }))
    if (project.current_task_id !== next.id) await updateKnown(tx, 'project', project, { current_task_id: next.id })
    if (session) await follow(tx, session, next)
    // Read anew: it may be the one that was left.
    return {
      left: left ?? null,
      drift,
      ...(await shownTask(tx, await findTask(tx, task_id, { name: '' }), { maxTokens: max_tokens })),
    }
  },
})

interface Switched {
  left: { task_id: string; version: number; [more: string]: unknown } | null
  task: Awaited<ReturnType<typeof shownTask>>['task'] | null
  drift: Drift
  omitted: Omitted[]
  conflict?: Record<string, unknown>
}

/** What the session works on, else what the project did. */
async function taskLeft(tx: Tx, project: Project, session: Session | undefined): Promise<Task | undefined> {
  const id = session?.task_context_id ?? (await currentTask(tx, project))?.id
  return id === undefined ? undefined : lockTask(tx, id)
}

/** The current task of the project that a task belongs to: what a switch without a session leaves. */
async function currentBeside(tx: Tx, taskId: string): Promise<SaveTarget> {
  const { project_id } = await findTask(tx, taskId, { name: '' })
  const project = await getRecord(tx, 'project', project_id)
  return { root: project.root, task: await currentTask(tx, project) }
}

interface Last {
  updates: Updates
  world: World | undefined
}

async function saveLeft(tx: Tx, task: Task, last: Last | undefined) {
  if (last === undefined) return { task_id: task.id, version: task.head, changed: [] }
  const { updates, world } = last
  return { task_id: task.id, ...(await save(tx, task, { change: (before) => merge(before, updates), world })) }
}

async function follow(tx: Tx, session: Session, { id }: Task): Promise<void> {
  await beat(tx, session.id)
  if (session.task_context_id !== id) await updateRecord(tx, 'session', session.id, { task_context_id: id })
}
