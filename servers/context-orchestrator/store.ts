import path from 'node:path'
import { createRecord, findRecord, getRecord, type RecordOf, sha256, updateKnown } from '@story-portal/shared/data'
import type { Tx } from '@story-portal/shared/db'
import { errors } from '@story-portal/shared/errors'
import { sql } from 'kysely'
import type { Checkpoint } from './checkpoint.ts'
import type { World } from './drift/world.ts'
import { faults } from './errors.ts'
import type { Place } from './place.ts'
import { indexTask } from './search/index-task.ts'

export type Project = RecordOf<'project'>
export type Task = RecordOf<'task_context'>

const MOST_BYTES = 256 * 1024

/** One call at a time makes projects and first tasks of a tenant; two first saves at once make one of each. */
export async function lockCreation(tx: Tx): Promise<void> {
  await sql`select pg_advisory_xact_lock(hashtextextended(current_setting('app.tenant', true) || ' contexts', 2))`.execute(
    tx,
  )
}

export async function findProject(tx: Tx, place: Place): Promise<Project | undefined> {
  const at = 'name' in place ? sql`name = ${place.name}` : sql`root = any(${place.folders}::text[])`
  const { rows } = await sql<{ id: string }>`
    select id from core.projects where tenant_id = current_setting('app.tenant', true) and ${at} and deleted_at is null
    order by length(root) desc limit 1`.execute(tx)
  return rows[0] && getRecord(tx, 'project', rows[0].id)
}

/** The project of a place, made when there is none. Takes the lock of creation only then. */
export async function projectAt(tx: Tx, place: Place): Promise<Project> {
  const found = await findProject(tx, place)
  if (found) return found
  await lockCreation(tx)
  return (await findProject(tx, place)) ?? makeProject(tx, place)
}

async function makeProject(tx: Tx, place: Place): Promise<Project> {
  if ('name' in place) return createRecord(tx, 'project', { name: place.name })
  const { root } = place
  const short = path.basename(root)
  const free = short !== '' && (await findProject(tx, { name: short })) === undefined
  return createRecord(tx, 'project', { root, name: free ? short : root })
}

/** The task made or switched to last in a project; of a project that is older than this rule, the one saved last. */
export async function currentTask(tx: Tx, project: Project): Promise<Task | undefined> {
  const { current_task_id } = project
  const current = current_task_id === null ? undefined : await findRecord(tx, 'task_context', current_task_id)
  if (current) return current
  const { rows } = await sql<{ id: string }>`
    select id from core.task_contexts
    where tenant_id = current_setting('app.tenant', true) and project_id = ${project.id} and deleted_at is null
    order by updated_at desc, id desc limit 1`.execute(tx)
  return rows[0] && getRecord(tx, 'task_context', rows[0].id)
}

/** The project as no other transaction changes it until this one ends. */
export async function lockProject(tx: Tx, id: string): Promise<Project> {
  return getRecord(tx, 'project', id, { forUpdate: true })
}

/** The current task of a project, locked; of one that has none a first task is made, named after what it is for. */
export async function taskToSave(tx: Tx, project: Project, goal: string | null | undefined): Promise<Task> {
  const known = (await currentTask(tx, project))?.id
  if (known !== undefined) return lockTask(tx, known)
  const locked = await lockProject(tx, project.id)
  const meanwhile = await currentTask(tx, locked)
  return meanwhile ? lockTask(tx, meanwhile.id) : makeTask(tx, locked, goal ?? project.name)
}

/** A new task of a project that the caller has locked; it becomes the current one. */
export async function makeTask(tx: Tx, project: Project, title: string): Promise<Task> {
  const task = await createRecord(tx, 'task_context', { project_id: project.id, title: title.slice(0, 300), head: 0 })
  await updateKnown(tx, 'project', project, { current_task_id: task.id })
  return task
}

/** The current task of a place, if anything was saved there. */
export async function taskAt(tx: Tx, place: Place): Promise<Task | undefined> {
  const project = await findProject(tx, place)
  return project && currentTask(tx, project)
}

/** A task by its id, else the current one of a place; E14001 when nothing was saved there. */
export async function findTask(tx: Tx, taskId: string | undefined, place: Place): Promise<Task> {
  if (taskId !== undefined) return taskById(tx, taskId)
  const task = await taskAt(tx, place)
  if (task === undefined) throw faults.nothingSaved({ project: 'name' in place ? place.name : 'this folder' })
  return task
}

/** The task as no other transaction changes it until this one ends. */
export async function lockTask(tx: Tx, id: string): Promise<Task> {
  return taskById(tx, id, true)
}

async function taskById(tx: Tx, id: string, forUpdate = false): Promise<Task> {
  const task = await findRecord(tx, 'task_context', id, { forUpdate })
  if (task) return task
  throw errors.notFound({ kind: 'task context', id }, { hint: 'list_task_contexts shows the tasks of a project.' })
}

/** What a version holds, as it was saved; nothing before the first. */
export async function readVersion(tx: Tx, taskId: string, number: number): Promise<Checkpoint> {
  return number === 0 ? {} : (JSON.parse(await readBody(tx, taskId, number)) as Checkpoint)
}

/** The very text of a version: canonical JSON. */
export async function readBody(tx: Tx, taskId: string, number: number): Promise<string> {
  const { rows } = await sql<{ body: string }>`
    select body from core.context_versions
    where tenant_id = current_setting('app.tenant', true) and task_context_id = ${taskId} and number = ${number}`.execute(
    tx,
  )
  if (rows[0]) return rows[0].body
  throw errors.notFound(
    { kind: 'version', id: `${taskId}/${number}` },
    { hint: 'get_unified_context says which version is the newest; they count from 1.' },
  )
}

/** What a version's save saw around it; null where its client told no folder. */
export async function readWorld(tx: Tx, taskId: string, number: number): Promise<World | null> {
  const { rows } = await sql<{ world: World | null }>`
    select world from core.context_versions
    where tenant_id = current_setting('app.tenant', true) and task_context_id = ${taskId} and number = ${number}`.execute(
    tx,
  )
  return rows[0]?.world ?? null
}

/** Writes the next version of a task that the caller has locked; returns its number. */
export async function addVersion(tx: Tx, task: Task, body: string, more: More = {}): Promise<number> {
  const bytes = Buffer.byteLength(body)
  if (bytes > MOST_BYTES) throw faults.tooLarge({ bytes: String(bytes), most: String(MOST_BYTES) })
  const { summary = null, restored_from = null, status, world = null } = more
  const number = task.head + 1
  const version = { task_context_id: task.id, number, body, sha256: sha256(body), summary, restored_from, world }
  await createRecord(tx, 'context_version', version)
  await updateKnown(tx, 'task_context', task, { head: number, ...(status && { status }) })
  await indexTask(tx, task, JSON.parse(body) as Checkpoint)
  return number
}

export interface More {
  /** What the version is about. */
  summary?: string | undefined
  /** The older version that it brings back. */
  restored_from?: number
  /** What the save saw around it. */
  world?: World | null | undefined
  /** The task's state from now on. */
  status?: Task['status'] | undefined
}
