import { getRecord, inMs, updateRecord } from '@story-portal/shared/data'
import type { Tx } from '@story-portal/shared/db'
import { defineTool } from '@story-portal/shared/mcp'
import { z } from 'zod'
import { checkedUpdates } from '../checked-updates.ts'
import { saveTarget } from '../drift/save-target.ts'
import { seeTaskWorld } from '../drift/see-task-world.ts'
import type { World } from '../drift/world.ts'
import { merge } from '../merge.ts'
import { save } from '../save.ts'
import { SessionId, UpdatesInput } from '../schema.ts'
import { aliveSession, type Session, shownSession } from '../sessions.ts'
import { lockTask, projectAt, taskToSave } from '../store.ts'

export default defineTool({
  name: 'end_session',
  description:
    'Ends a session, with what is to be saved last. As compacted it says that its memory is cut and somebody has to go on: check_recovery finds it. To only save, use save_context_snapshot.',
  effect: 'update',
  input: {
    session_id: SessionId,
    status: z.enum(['ended', 'compacted']).default('ended'),
    updates: UpdatesInput.optional(),
  },
  output: { session: z.looseObject({ session_id: z.string(), status: z.string() }), version: z.int().nullable() },
  prepare: async ({ session_id, updates }, ctx) =>
    updates && seeTaskWorld(ctx, checkedUpdates(updates), (tx) => saveTarget(tx, ctx.caller, { session_id })),
  async run({ session_id, status, updates: given }, { tx }, world) {
    const session = await aliveSession(tx, session_id)
    const version = given === undefined ? null : await saveLast(tx, session, { given, world })
    const ended = await updateRecord(tx, 'session', session.id, { status, ended_at: inMs(0) })
    return { session: shownSession(ended), version }
  },
})

async function saveLast(tx: Tx, session: Session, { given, world }: Last): Promise<number> {
  const updates = checkedUpdates(given)
  const task = await taskLeft(tx, session, updates.goal)
  const saved = await save(tx, task, { change: (before) => merge(before, updates), world })
  return saved.version
}

interface Last {
  given: Record<string, unknown>
  world: World | undefined
}

async function taskLeft(tx: Tx, { task_context_id, project_id }: Session, goal: string | null | undefined) {
  if (task_context_id !== null) return lockTask(tx, task_context_id)
  const project = project_id === null ? projectAt(tx, { name: 'default' }) : getRecord(tx, 'project', project_id)
  return taskToSave(tx, await project, goal)
}
