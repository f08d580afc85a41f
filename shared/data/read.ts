import { sql } from 'kysely'
import type { Tx } from '../db/index.ts'
import { errors } from '../errors/index.ts'
import { lastEventAsOf, readStream, START, type StoredEvent, tenantOf } from '../events/index.ts'
import type { KindName, RecordOf } from './define-kind.ts'
import type { Changes } from './diff.ts'
import { recordErrors } from './errors.ts'
import { kindOf, streamOf } from './registry.ts'
import { columnList, type Row } from './row-sql.ts'

export interface FindOptions {
  /** Locks the row until the transaction ends (NO KEY UPDATE). */
  forUpdate?: boolean
  includeDeleted?: boolean
  /** Needed only in a system-scoped transaction. */
  tenant_id?: string
}

/** The record, or undefined when it does not exist, is deleted, or belongs to another tenant. */
export async function findRecord<K extends KindName>(
  tx: Tx,
  kindName: K,
  id: string,
  options: FindOptions = {},
): Promise<RecordOf<K> | undefined> {
  const kind = kindOf(kindName)
  const { rows } = await sql<Row>`
    select ${columnList(kind)} from ${sql.table(kind.table)}
    where tenant_id = ${tenantOf(tx, options.tenant_id)} and id = ${id}
    ${options.includeDeleted ? sql`` : sql`and deleted_at is null`}
    ${options.forUpdate ? sql`for no key update` : sql``}`.execute(tx)
  return rows[0] as RecordOf<K> | undefined
}

/** The record, or E0004. */
export async function getRecord<K extends KindName>(
  tx: Tx,
  kind: K,
  id: string,
  options: FindOptions = {},
): Promise<RecordOf<K>> {
  const row = await findRecord(tx, kind, id, options)
  if (!row) throw errors.notFound({ kind, id }, { hint: 'List ids with list_records.' })
  return row
}

/** A time (ISO 8601) or an event's position; E0407 for anything else. */
export function parseAsOf(asOf: string): { time: string } | { position: string } {
  if (/^\d{20}$/.test(asOf)) return { position: asOf }
  const ms = /^\d{4}-\d{2}-\d{2}([T ]|$)/.test(asOf) ? Date.parse(asOf) : Number.NaN
  if (!Number.isNaN(ms)) return { time: new Date(ms).toISOString() }
  throw recordErrors.badAsOf(
    { as_of: asOf },
    { details: { faults: [{ path: 'as_of', message: 'is neither a time nor a position' }] } },
  )
}

/** The record as it was at a time or position, rebuilt from its events alone. Not there yet, or deleted then: E0408. */
export async function getRecordAsOf<K extends KindName>(
  tx: Tx,
  kind: K,
  id: string,
  asOf: string,
): Promise<RecordOf<K>> {
  const event = await lastEventAsOf(tx, streamOf(kindOf(kind).name, id), parseAsOf(asOf))
  const record = event && imageOf(event)
  if (record && record.deleted_at === null) return record as RecordOf<K>
  if (!event) await getRecord(tx, kind, id, { includeDeleted: true })
  throw recordErrors.notYet({ kind, id, as_of: asOf })
}

/** The record rebuilt from the whole of its stream, deleted or not; equals the row as canonical JSON (I1). */
export async function rebuildRecord<K extends KindName>(tx: Tx, kind: K, id: string): Promise<RecordOf<K> | undefined> {
  const event = await lastEventAsOf(tx, streamOf(kind, id), { position: LAST })
  return event && (imageOf(event) as RecordOf<K>)
}

const LAST = String(2n ** 63n - 1n).padStart(START.length, '0')

/** One change of a record: what, when, who and why. */
export type HistoryEntry = {
  version: number
  type: string
  at: string
  by: string
  reason: string | null
  changes: Changes
  position: string
  correlation_id: string | null
}

/** Changes of a record from `after_version` on, oldest first; empty for a record that never was. */
export async function recordHistory(
  tx: Tx,
  kind: KindName,
  id: string,
  range: { after_version?: number; limit?: number } = {},
): Promise<HistoryEntry[]> {
  const events = await readStream(tx, streamOf(kindOf(kind).name, id), { limit: 100, ...range })
  return events.map((event) => {
    const { changes, reason } = event.data as { changes: Changes; reason?: string }
    const { version, type, time, actor, position, correlation_id } = event
    return { version, type, at: time, by: actor, reason: reason ?? null, changes, position, correlation_id }
  })
}

function imageOf(event: StoredEvent): Row {
  return (event.data as { record: Row }).record
}
