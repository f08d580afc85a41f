import { findRecord, inMs, updateRecord } from '@story-portal/shared/data'
import type { Tx } from '@story-portal/shared/db'
import { defineTool } from '@story-portal/shared/mcp'
import { z } from 'zod'
import { placeOf } from '../place.ts'
import { resumePrompt } from '../resume-prompt.ts'
import { MaxTokens, ProjectName, SessionId } from '../schema.ts'
import { aliveSession, beat, type Lost, lastTakeover, lostSession, type Session, shownSession } from '../sessions.ts'
import { currentTask, findProject, type Project, type Task } from '../store.ts'
import { shownTask } from '../unified.ts'

export default defineTool({
  name: 'check_recovery',
  description:
    'Gives back what was saved last in a project, with a prompt to go on, also when nobody started a session. With session_id the latest session that crashed or was compacted is taken over, by one session only.',
  effect: 'update',
  input: { project: ProjectName.optional(), session_id: SessionId.optional(), max_tokens: MaxTokens },
  output: {
    task: z.looseObject({}).nullable(),
    prompt: z.string().nullable(),
    omitted: z.array(z.looseObject({})),
    lost: z.looseObject({}).nullable(),
    taken: z.looseObject({}).nullable(),
  },
  async run({ project: name, session_id, max_tokens }, { tx, caller, config }): Promise<Recovery> {
    const mine = session_id === undefined ? undefined : await aliveSession(tx, session_id)
    if (mine) await beat(tx, mine.id)
    const project = await projectOf(tx, mine, () => findProject(tx, placeOf(caller, name)))
    if (!project) return { task: null, prompt: null, omitted: [], lost: null, taken: null }
    const lost = await lostSession(tx, project.id, config.context.sessionSilenceMs, mine?.id)
    if (lost && mine) await takeOver(tx, lost, mine)
    const taken = lost ? undefined : await lastTakeover(tx, project.id)
    return {
      ...(await contextOf(tx, project, lost?.session, max_tokens)),
      lost: lost
        ? { ...shownSession(lost.session), last_sign_at: lost.last_sign_at, taken_over: mine !== undefined }
        : null,
      taken: taken ? { session_id: taken.id, by: taken.recovered_by, at: taken.recovered_at } : null,
    }
  },
})

interface Recovery {
  task: Record<string, unknown> | null
  prompt: string | null
  omitted: Record<string, unknown>[]
  lost: Record<string, unknown> | null
  taken: Record<string, unknown> | null
}

async function projectOf(tx: Tx, mine: Session | undefined, here: () => Promise<Project | undefined>) {
  const own = mine?.project_id ?? undefined
  return own === undefined ? here() : findRecord(tx, 'project', own)
}

/** A silent session is a crashed one that the sweep has not met yet. */
async function takeOver(tx: Tx, { session }: Lost, mine: Session): Promise<void> {
  const { id, status } = session
  if (status === 'active') await updateRecord(tx, 'session', id, { status: 'crashed', ended_at: inMs(0) })
  await updateRecord(tx, 'session', id, { status: 'recovered', recovered_by: mine.id, recovered_at: inMs(0) })
  if (session.task_context_id !== null && mine.task_context_id !== session.task_context_id)
    await updateRecord(tx, 'session', mine.id, { task_context_id: session.task_context_id })
}

async function contextOf(tx: Tx, project: Project, lost: Session | undefined, maxTokens: number) {
  const task = await taskOf(tx, project, lost)
  if (!task || task.head === 0) return { task: null, prompt: null, omitted: [] }
  const shown = await shownTask(tx, task, { maxTokens })
  const cut = shown.omitted.map(({ part }) => part)
  return { ...shown, prompt: resumePrompt({ ...shown.task, project: project.name, cut }) }
}

async function taskOf(tx: Tx, project: Project, lost: Session | undefined): Promise<Task | undefined> {
  const id = lost?.task_context_id ?? undefined
  const left = id === undefined ? undefined : await findRecord(tx, 'task_context', id)
  return left ?? currentTask(tx, project)
}
