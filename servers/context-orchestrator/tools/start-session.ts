import { createRecord, findRecord, inMs, updateRecord } from '@story-portal/shared/data'
import type { Tx } from '@story-portal/shared/db'
import { defineTool } from '@story-portal/shared/mcp'
import { z } from 'zod'
import { faults } from '../errors.ts'
import { placeOf } from '../place.ts'
import { ClientSessionId, ProjectName, TaskId } from '../schema.ts'
import { beat, latestOfClient, lostOfClient, type Session, sessionOfClient, shownSession } from '../sessions.ts'
import { currentTask, findTask, lockProject, type Project, projectAt } from '../store.ts'

export default defineTool({
  name: 'start_session',
  description:
    'Begins a session of an assistant in a project, made when there is none; the same client_session_id again is the session that lives, or goes on where its lost one stopped (continues). Then call check_recovery with it.',
  effect: 'create',
  input: {
    project: ProjectName.optional(),
    task_id: TaskId.optional(),
    client_session_id: ClientSessionId.optional(),
    assistant: z
      .string()
      .trim()
      .min(1)
      .max(200)
      .optional()
      .describe('Who works in it; default: the name of the client'),
  },
  output: {
    session: z.looseObject({ session_id: z.string() }),
    project: z.looseObject({ id: z.string(), name: z.string(), root: z.string().nullable() }),
    resumed: z.boolean(),
    continues: z.string().nullable(),
  },
  async run({ project: name, task_id, client_session_id, assistant }, { tx, caller }) {
    // One start at a time in a project, so that two with the same client id find each other.
    const project = await lockProject(tx, (await projectAt(tx, placeOf(caller, name))).id)
    const { id, name: own, root } = project
    const where = { project: { id, name: own, root } }
    const known = client_session_id === undefined ? undefined : await sessionOfClient(tx, id, client_session_id)
    if (known) {
      await beat(tx, known.id)
      const task = task_id === undefined ? known.task_context_id : await taskOf(tx, project, task_id)
      const moved = task !== known.task_context_id
      const session = moved ? await updateRecord(tx, 'session', known.id, { task_context_id: task ?? null }) : known
      return { session: shownSession(session), ...where, resumed: true, continues: null }
    }
    const lost = client_session_id === undefined ? undefined : await lostOfClient(tx, id, client_session_id)
    const left = client_session_id === undefined ? undefined : await taskLeft(tx, id, client_session_id)
    const session = await createRecord(tx, 'session', {
      project: own,
      project_id: id,
      task_context_id: (await taskOf(tx, project, task_id ?? left)) ?? null,
      client_session_id: client_session_id ?? null,
      assistant: assistant ?? caller.client.name,
      client: { ...caller.client },
      status: 'active',
    })
    await beat(tx, session.id)
    if (lost) await takeOver(tx, lost, session)
    return { session: shownSession(session), ...where, resumed: false, continues: lost?.id ?? null }
  },
})

/** It was the same assistant: only idle for long, or with its memory cut. */
async function takeOver(tx: Tx, lost: Session, by: Session): Promise<void> {
  await updateRecord(tx, 'session', lost.id, { status: 'recovered', recovered_by: by.id, recovered_at: inMs(0) })
}

/** What the client's session before worked on; after one that was ended only while there is something to do. */
async function taskLeft(tx: Tx, projectId: string, clientId: string): Promise<string | undefined> {
  const before = await latestOfClient(tx, projectId, { clientId })
  const id = before?.task_context_id ?? undefined
  const task = id === undefined ? undefined : await findRecord(tx, 'task_context', id)
  return task && (before?.status !== 'ended' || task.status === 'active') ? task.id : undefined
}

async function taskOf(tx: Tx, project: Project, taskId: string | undefined): Promise<string | undefined> {
  if (taskId === undefined) return (await currentTask(tx, project))?.id
  const task = await findTask(tx, taskId, { name: project.name })
  if (task.project_id !== project.id) throw faults.otherProject({ task: taskId })
  return task.id
}
