import { findRecord, inMs, updateRecord } from '@story-portal/shared/data'
import type { Tx } from '@story-portal/shared/db'
import { defineTool, type OpenContext } from '@story-portal/shared/mcp'
import { z } from 'zod'
import type { Drift } from '../drift/drift.ts'
import { compareSaved, savedWorld } from '../drift/task-drift.ts'
import { placeOf } from '../place.ts'
import { resumePrompt } from '../resume-prompt.ts'
import { MaxTokens, ProjectName, SessionId } from '../schema.ts'
import {
  aliveSession,
  beat,
  type Lost,
  lastTakeover,
  lockLost,
  lostSessions,
  type Session,
  shownSession,
} from '../sessions.ts'
import { currentTask, findProject, lockProject, type Project, readVersion, type Task } from '../store.ts'
import { shownTask } from '../unified.ts'

export default defineTool({
  name: 'check_recovery',
  description:
    'Gives back what was saved last in a project, with a prompt to go on that says first what has changed in the project since: of sessions that crashed or were compacted, and of the current task, also when nobody started a session. With session_id the latest lost session is taken over, by one session only.',
  effect: 'update',
  input: { project: ProjectName.optional(), session_id: SessionId.optional(), max_tokens: MaxTokens },
  output: {
    needs_recovery: z.boolean(),
    sessions: z.array(z.looseObject({ session_id: z.string().nullable(), resume_prompt: z.string() })),
    task: z.looseObject({}).nullable(),
    omitted: z.array(z.looseObject({})),
    taken: z.looseObject({}).nullable(),
  },
  prepare: driftOfAll,
  async run({ project: name, session_id, max_tokens }, { tx, caller, config }, drifts): Promise<Recovery> {
    const mine = session_id === undefined ? undefined : await aliveSession(tx, session_id)
    if (mine) await beat(tx, mine.id)
    const project = await projectOf(tx, mine, () => findProject(tx, placeOf(caller, name)))
    if (!project) return { needs_recovery: false, sessions: [], task: null, omitted: [], taken: null }
    // Who takes over takes turns in a project, so that the next one sees who has.
    if (mine) await lockProject(tx, project.id)
    const { sessionSilenceMs } = config.context
    const lost = await lostSessions(tx, project.id, sessionSilenceMs, mine?.id)
    const own = mine && (await takeOver(tx, lost, mine, sessionSilenceMs))
    const view = { project, maxTokens: max_tokens, drifts }
    const sessions: Recovery['sessions'] = await Promise.all(lost.map((one) => shownLost(tx, one, { ...view, own })))
    const current = await taskAfter(tx, project, own)
    const covered = lost.some(({ session }) => session.task_context_id === current?.id)
    if (current?.status === 'active' && current.head > 0 && !covered)
      sessions.push({ session_id: null, status: 'saved', ...(await resumed(tx, current, view)) })
    const taken = await lastTakeover(tx, project.id, mine?.id)
    return {
      needs_recovery: sessions.length > 0,
      sessions,
      ...(current && current.head > 0
        ? await shownTask(tx, current, { maxTokens: max_tokens })
        : { task: null, omitted: [] }),
      taken: taken ? { session_id: taken.id, by: taken.recovered_by, at: taken.recovered_at } : null,
    }
  },
})

interface Recovery {
  needs_recovery: boolean
  sessions: { session_id: string | null; task_id: string | null; resume_prompt: string; [more: string]: unknown }[]
  /** What to go on with: of the session that was taken over, else the current one. */
  task: Record<string, unknown> | null
  omitted: Record<string, unknown>[]
  /** The latest takeover by another session in the last hour. */
  taken: Record<string, unknown> | null
}

interface View {
  project: Project
  maxTokens: number
  /** By task. */
  drifts: ReadonlyMap<string, Drift>
}

/** Before the transaction: the drift of every task that may be shown. */
async function driftOfAll(
  { project: name, session_id }: { project?: string | undefined; session_id?: string | undefined },
  { caller, db, config }: OpenContext,
): Promise<Map<string, Drift>> {
  const saved = await db.read(async (tx) => {
    const mine = session_id === undefined ? undefined : await findRecord(tx, 'session', session_id)
    const project = await projectOf(tx, mine, () => findProject(tx, placeOf(caller, name)))
    if (!project) return []
    const lost = await lostSessions(tx, project.id, config.context.sessionSilenceMs, session_id)
    const ids = lost.flatMap(({ session }) => session.task_context_id ?? [])
    const tasks = [await currentTask(tx, project)]
    for (const id of new Set(ids)) tasks.push(await findRecord(tx, 'task_context', id))
    const known = new Map(tasks.flatMap((task) => (task ? [[task.id, task] as const] : [])))
    const worlds = []
    for (const task of known.values()) worlds.push(await savedWorld(tx, caller, task))
    return worlds
  })
  return new Map(await Promise.all(saved.map(async (one) => [one.task_id, await compareSaved(one)] as const)))
}

async function projectOf(tx: Tx, mine: Session | undefined, here: () => Promise<Project | undefined>) {
  const own = mine?.project_id ?? undefined
  return own === undefined ? here() : findRecord(tx, 'project', own)
}

/** The first of them that is lost still becomes the caller's, and its task too. A silent session is a crashed one that the sweep has not met yet. */
async function takeOver(tx: Tx, lost: readonly Lost[], mine: Session, silenceMs: number): Promise<Session | undefined> {
  for (const { session: found } of lost) {
    const session = await lockLost(tx, found.id, silenceMs)
    if (!session) continue
    const { id, status } = session
    if (status === 'active') await updateRecord(tx, 'session', id, { status: 'crashed', ended_at: inMs(0) })
    await updateRecord(tx, 'session', id, { status: 'recovered', recovered_by: mine.id, recovered_at: inMs(0) })
    if (session.task_context_id !== null && mine.task_context_id !== session.task_context_id)
      await updateRecord(tx, 'session', mine.id, { task_context_id: session.task_context_id })
    return session
  }
  return undefined
}

async function shownLost(
  tx: Tx,
  { session, last_sign_at }: Lost,
  { own, ...view }: View & { own: Session | undefined },
) {
  const id = session.task_context_id ?? undefined
  const task = id === undefined ? undefined : await findRecord(tx, 'task_context', id)
  const shown = { ...shownSession(session), last_sign_at, taken_over: session.id === own?.id }
  return {
    ...shown,
    ...(task ? await resumed(tx, task, view) : { task_id: null, resume_prompt: 'It has saved nothing.' }),
  }
}

async function resumed(tx: Tx, task: Task, { project, maxTokens, drifts }: View) {
  const { id: task_id, title, head: version, updated_at } = task
  const checkpoint = await readVersion(tx, task.id, version)
  const drift = drifts.get(task.id) ?? { checked: false, reason: 'It was saved only just now.' }
  return {
    task_id,
    resume_prompt: resumePrompt({ title, project: project.name, version, updated_at, checkpoint, drift }, maxTokens),
    drift,
  }
}

async function taskAfter(tx: Tx, project: Project, own: Session | undefined): Promise<Task | undefined> {
  const id = own?.task_context_id ?? undefined
  const left = id === undefined ? undefined : await findRecord(tx, 'task_context', id)
  return left ?? currentTask(tx, project)
}
