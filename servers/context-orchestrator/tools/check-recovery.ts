import { findRecord, inMs, updateRecord } from '@story-portal/shared/data'
import type { Tx } from '@story-portal/shared/db'
import { defineTool, type OpenContext } from '@story-portal/shared/mcp'
import { z } from 'zod'
import type { Drift } from '../drift/drift.ts'
import { compareSaved, savedWorld } from '../drift/task-drift.ts'
import { placeOf } from '../place.ts'
import { resumePrompt } from '../resume-prompt.ts'
import { ClientSessionId, MaxTokens, ProjectName, SessionId } from '../schema.ts'
import {
  beat,
  type Lost,
  lastTakeover,
  latestOfClient,
  lockLost,
  lockSession,
  lostSessions,
  type Session,
  shownSession,
} from '../sessions.ts'
import { currentTask, findProject, lockProject, type Project, readVersion, type Task } from '../store.ts'
import { shownTask } from '../unified.ts'

export default defineTool({
  name: 'check_recovery',
  description:
    'Gives back what was saved last in a project, with a prompt to go on that says first what has changed in the project since: of sessions that crashed or were compacted, and of the current task, or the one that your own session before worked on. With session_id the latest lost session is taken over, by one session only, unless you have one before of your own.',
  effect: 'update',
  input: {
    project: ProjectName.optional(),
    session_id: SessionId.optional(),
    client_session_id: ClientSessionId.optional(),
    max_tokens: MaxTokens,
  },
  output: {
    needs_recovery: z.boolean(),
    sessions: z.array(z.looseObject({ session_id: z.string().nullable(), resume_prompt: z.string() })),
    task: z.looseObject({}).nullable(),
    omitted: z.array(z.looseObject({})),
    taken: z.looseObject({}).nullable(),
  },
  prepare: driftOfAll,
  async run(args, { tx, caller, config }, drifts): Promise<Recovery> {
    const given = args.session_id === undefined ? undefined : await lockSession(tx, args.session_id)
    const mine = given?.status === 'active' ? given : undefined
    if (mine) await beat(tx, mine.id)
    const project = await projectOf(tx, given, () => findProject(tx, placeOf(caller, args.project)))
    if (!project) return { needs_recovery: false, sessions: [], task: null, omitted: [], taken: null }
    // Who takes over takes turns in a project, so that the next one sees who has.
    if (mine) await lockProject(tx, project.id)
    const { sessionSilenceMs } = config.context
    const before = await ownBefore(tx, project, { given, client_session_id: args.client_session_id })
    const lost = ownFirst(await lostSessions(tx, project.id, sessionSilenceMs, mine?.id), before)
    // Who has worked here before goes on with that, and leaves to others what others have left.
    const open = before ? lost.filter(({ session }) => session.id === before.id) : lost
    const own = mine && (await takeOver(tx, open, mine, sessionSilenceMs))
    const view = { project, maxTokens: args.max_tokens, drifts }
    const left: Recovery['sessions'] = await Promise.all(lost.map((one) => shownLost(tx, one, { ...view, own })))
    const current = await taskAfter(tx, project, [own, mine, before])
    const covered = lost.some(({ session }) => session.task_context_id === current?.id)
    const saved =
      current?.status === 'active' && current.head > 0 && !covered
        ? [{ session_id: null, status: 'saved', ...(await resumed(tx, current, view)) }]
        : []
    const sessions = before ? [...saved, ...left] : [...left, ...saved]
    const taken = await lastTakeover(tx, project.id, mine?.id)
    return {
      needs_recovery: sessions.length > 0,
      sessions,
      ...(current && current.head > 0
        ? await shownTask(tx, current, { maxTokens: args.max_tokens })
        : { task: null, omitted: [] }),
      taken: taken ? { session_id: taken.id, by: taken.recovered_by, at: taken.recovered_at } : null,
    }
  },
})

interface Recovery {
  needs_recovery: boolean
  sessions: { session_id: string | null; task_id: string | null; resume_prompt: string; [more: string]: unknown }[]
  /** What to go on with: of the session that was taken over, else of the caller's own or the one before it, else the current one. */
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

interface Args {
  project?: string | undefined
  session_id?: string | undefined
  client_session_id?: string | undefined
}

/** Before the transaction: the drift of every task that may be shown. */
async function driftOfAll(
  { project: name, session_id, client_session_id }: Args,
  { caller, db, config }: OpenContext,
): Promise<Map<string, Drift>> {
  const saved = await db.read(async (tx) => {
    const given = session_id === undefined ? undefined : await findRecord(tx, 'session', session_id)
    const project = await projectOf(tx, given, () => findProject(tx, placeOf(caller, name)))
    if (!project) return []
    const mine = given?.status === 'active' ? given.id : undefined
    const lost = await lostSessions(tx, project.id, config.context.sessionSilenceMs, mine)
    const before = await ownBefore(tx, project, { given, client_session_id })
    const sessions = [given, before, ...lost.map(({ session }) => session)]
    const ids = sessions.flatMap((session) => session?.task_context_id ?? [])
    const tasks = [await currentTask(tx, project)]
    for (const id of new Set(ids)) tasks.push(await findRecord(tx, 'task_context', id))
    const known = new Map(tasks.flatMap((task) => (task ? [[task.id, task] as const] : [])))
    const worlds = []
    for (const task of known.values()) worlds.push(await savedWorld(tx, caller, task))
    return worlds
  })
  return new Map(await Promise.all(saved.map(async (one) => [one.task_id, await compareSaved(one)] as const)))
}

/** The session that the caller has worked in before: the given one that is over, else the latest that its client calls so. */
async function ownBefore(
  tx: Tx,
  { id }: Project,
  { given, client_session_id }: { given: Session | undefined; client_session_id: string | undefined },
): Promise<Session | undefined> {
  if (given && given.status !== 'active') return given
  const clientId = client_session_id ?? given?.client_session_id ?? undefined
  return clientId === undefined ? undefined : latestOfClient(tx, id, { clientId, except: given?.id })
}

function ownFirst(lost: readonly Lost[], before: Session | undefined): Lost[] {
  const own = ({ session }: Lost) => session.id === before?.id
  return [...lost.filter(own), ...lost.filter((one) => !own(one))]
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

/** The task of the first of some sessions that has one, else the current one. */
async function taskAfter(
  tx: Tx,
  project: Project,
  sessions: readonly (Session | undefined)[],
): Promise<Task | undefined> {
  const id = sessions.find((one) => one && one.task_context_id !== null)?.task_context_id ?? undefined
  const left = id === undefined ? undefined : await findRecord(tx, 'task_context', id)
  return left ?? currentTask(tx, project)
}
