import { createRecord, getRecord, hashJson, type RecordOf, updateRecord } from '@story-portal/shared/data'
import type { Tx } from '@story-portal/shared/db'
import { sql } from 'kysely'

export type Conflict = RecordOf<'context_conflict'>

/** A conflict as a detector sees it; `about` says which one it is. */
export interface Found {
  kind: Conflict['kind']
  task_context_id: string
  about: unknown
  explanation: string
  sides: Record<string, unknown>
}

/**
 * Stores what was found, each conflict once: one that is open stays, one that was resolved and is there again is open again, one
 * that was dismissed stays dismissed. In a project that the caller has locked.
 */
export async function storeFound(tx: Tx, projectId: string, { about, ...found }: Found): Promise<Conflict> {
  const known = await findConflict(tx, projectId, { kind: found.kind, about })
  const explanation = found.explanation.slice(0, 1000)
  const fresh = { ...found, explanation, project_id: projectId, identity: identityOf(found.kind, about) }
  if (!known) return createRecord(tx, 'context_conflict', { ...fresh, status: 'open' })
  if (known.status !== 'resolved') return known
  const { sides } = found
  return updateRecord(tx, 'context_conflict', known.id, { status: 'open', explanation, sides, outcome: null })
}

/** What is known of a conflict, whatever its state. */
export async function findConflict(
  tx: Tx,
  projectId: string,
  { kind, about }: Pick<Found, 'kind' | 'about'>,
): Promise<Conflict | undefined> {
  const identity = identityOf(kind, about)
  const { rows } = await sql<{ id: string }>`
    select id from core.context_conflicts where tenant_id = current_setting('app.tenant')
      and project_id = ${projectId} and identity = ${identity} and deleted_at is null`.execute(tx)
  return rows[0] && getRecord(tx, 'context_conflict', rows[0].id)
}

function identityOf(kind: Conflict['kind'], about: unknown): string {
  return `${kind}/${hashJson(about).slice(0, 40)}`
}

/** Open conflicts of a project, or of one of its tasks, the oldest first. */
export async function openConflicts(tx: Tx, of: { project_id: string } | { task_id: string }): Promise<Conflict[]> {
  const where = 'task_id' in of ? sql`task_context_id = ${of.task_id}` : sql`project_id = ${of.project_id}`
  const { rows } = await sql<{ id: string }>`
    select id from core.context_conflicts where tenant_id = current_setting('app.tenant') and ${where}
      and status = 'open' and deleted_at is null order by created_at, id limit ${MOST}`.execute(tx)
  const found: Conflict[] = []
  for (const { id } of rows) found.push(await getRecord(tx, 'context_conflict', id))
  return found
}

const MOST = 100

export function shownConflict({ id, task_context_id, kind, explanation, sides, status, outcome }: Conflict) {
  return { conflict_id: id, task_id: task_context_id, kind, explanation, sides, status, outcome }
}
