import path from 'node:path'
import { canonicalJson, createRecord, getRecord, type RecordOf, sha256, updateKnown } from '@story-portal/shared/data'
import type { Tx } from '@story-portal/shared/db'
import { errors } from '@story-portal/shared/errors'
import { sql } from 'kysely'
import type { Checkpoint } from './checkpoint.ts'
import { faults } from './errors.ts'

export type Task = RecordOf<'task_context'>
/** Where a call works: the root of the client's folder, or a project's name. */
export type Place = { root: string } | { name: string }

const MOST_BYTES = 256 * 1024

/** One call at a time finds or makes projects and tasks of a tenant; two first saves at once make one of each. */
export async function lockCreation(tx: Tx): Promise<void> {
  await sql`select pg_advisory_xact_lock(hashtextextended(current_setting('app.tenant', true) || ' contexts', 2))`.execute(
    tx,
  )
}

export async function findProject(tx: Tx, place: Place): Promise<RecordOf<'project'> | undefined> {
  const at = 'root' in place ? sql`root = ${place.root}` : sql`name = ${place.name}`
  const { rows } = await sql<{ id: string }>`
    select id from core.projects where tenant_id = current_setting('app.tenant', true) and ${at} and deleted_at is null`.execute(
    tx,
  )
  return rows[0] && getRecord(tx, 'project', rows[0].id)
}

export async function makeProject(tx: Tx, place: Place): Promise<RecordOf<'project'>> {
  if ('name' in place) return createRecord(tx, 'project', place)
  const short = path.basename(place.root)
  const free = short !== '' && (await findProject(tx, { name: short })) === undefined
  return createRecord(tx, 'project', { root: place.root, name: free ? short : place.root })
}

/** The task of a project that was saved last. */
export async function latestTask(tx: Tx, projectId: string): Promise<Task | undefined> {
  const { rows } = await sql<{ id: string }>`
    select id from core.task_contexts
    where tenant_id = current_setting('app.tenant', true) and project_id = ${projectId} and deleted_at is null
    order by updated_at desc, id desc limit 1`.execute(tx)
  return rows[0] && getRecord(tx, 'task_context', rows[0].id)
}

/** One version of a task, as it was saved. */
export async function readVersion(tx: Tx, taskId: string, number: number): Promise<Checkpoint> {
  if (number === 0) return {}
  const { rows } = await sql<{ body: string }>`
    select body from core.context_versions
    where tenant_id = current_setting('app.tenant', true) and task_context_id = ${taskId} and number = ${number}`.execute(
    tx,
  )
  if (rows[0] === undefined) throw errors.notFound({ kind: 'version', id: `${taskId}/${number}` })
  return JSON.parse(rows[0].body) as Checkpoint
}

/** Writes the next version of a task that the caller has locked; returns its number. */
export async function addVersion(tx: Tx, task: Task, checkpoint: Checkpoint, summary?: string): Promise<number> {
  const body = canonicalJson(checkpoint)
  const bytes = Buffer.byteLength(body)
  if (bytes > MOST_BYTES) throw faults.tooLarge({ bytes: String(bytes), most: String(MOST_BYTES) })
  const number = task.head + 1
  const version = { task_context_id: task.id, number, body, sha256: sha256(body), summary: summary ?? null }
  await createRecord(tx, 'context_version', version)
  await updateKnown(tx, 'task_context', task, { head: number })
  return number
}
