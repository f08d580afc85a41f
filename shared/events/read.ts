import { type RawBuilder, sql } from 'kysely'
import type { Tx } from '../db/index.ts'
import { formatPosition, parsePosition, type StoredEvent } from './stored-event.ts'
import { upcast } from './upcast.ts'

/** What to list; conditions are joined by AND. */
export interface EventFilter {
  stream?: string | undefined
  /** A type, or a pattern with `*` for any characters: `goal.*`. */
  type?: string | undefined
  types?: readonly string[] | undefined
  subject?: string | undefined
  correlation_id?: string | undefined
  /** Only events above this position. */
  after?: string | undefined
  /** Only events up to this position. */
  upTo?: string | undefined
  /** Only events with `time` at or before this ISO time. */
  until?: string | undefined
  limit?: number | undefined
}

const COLUMNS = sql.raw(
  'position::text, tenant_id, stream, version, id, type, schema_version, source, subject, time, actor, correlation_id, causation_id, traceparent, data',
)

/**
 * Events in log order, lifted to the newest schema version. A stream alone is always complete; to walk across streams stay
 * below a position from `safePosition`, or events of transactions still open are missed for ever.
 */
export async function listEvents(tx: Tx, filter: EventFilter): Promise<StoredEvent[]> {
  const { rows } = await sql<StoredEvent>`
    select ${COLUMNS} from core.events e where ${conditions(tx, filter)} order by e.position limit ${filter.limit ?? 100}`.execute(
    tx,
  )
  return rows.map(fromRow)
}

export interface StreamRange {
  tenant_id?: string
  /** Only versions above this one. */
  after_version?: number
  limit?: number
}

/** The events of one stream, by version. */
export async function readStream(tx: Tx, stream: string, range: StreamRange = {}): Promise<StoredEvent[]> {
  const { rows } = await sql<StoredEvent>`
    select ${COLUMNS} from core.events
    where tenant_id = ${tenantOf(tx, range.tenant_id)} and stream = ${stream} and version > ${range.after_version ?? 0}
    order by version limit ${range.limit ?? 1000}`.execute(tx)
  return rows.map(fromRow)
}

/** The last event of a stream at or before a time or position. */
export async function lastEventAsOf(
  tx: Tx,
  stream: string,
  asOf: { time: string } | { position: string },
): Promise<StoredEvent | undefined> {
  const bound =
    'time' in asOf
      ? sql`time <= ${asOf.time}::timestamptz`
      : sql`position <= ${parsePosition(asOf.position, 'as_of')}::bigint`
  const { rows } = await sql<StoredEvent>`
    select ${COLUMNS} from core.events where tenant_id = ${tenantOf(tx)} and stream = ${stream} and ${bound}
    order by version desc limit 1`.execute(tx)
  return rows[0] && fromRow(rows[0])
}

/** The tenant a statement is about: the transaction's own, or the one named in a system transaction. */
export function tenantOf(tx: Tx, named?: string): string {
  const tenant = named ?? (tx.scope.kind === 'tenant' ? tx.scope.tenant_id : undefined)
  if (tenant === undefined) throw new Error('a system transaction must name the tenant')
  return tenant
}

function fromRow(row: StoredEvent): StoredEvent {
  return upcast({ ...row, position: formatPosition(row.position) })
}

function conditions(tx: Tx, filter: EventFilter): RawBuilder<unknown> {
  const all: RawBuilder<unknown>[] = [sql`true`]
  // The planner needs the tenant spelled out: row-level security alone does not lead it to the index.
  if (tx.scope.kind === 'tenant') all.push(sql`tenant_id = ${tx.scope.tenant_id}`)
  if (filter.stream !== undefined) all.push(sql`stream = ${filter.stream}`)
  if (filter.type !== undefined) all.push(typeCondition(filter.type))
  if (filter.types !== undefined) all.push(sql`(${sql.join(filter.types.map(typeCondition), sql` or `)})`)
  if (filter.subject !== undefined) all.push(sql`subject = ${filter.subject}`)
  if (filter.correlation_id !== undefined) all.push(sql`correlation_id = ${filter.correlation_id}`)
  if (filter.after !== undefined) all.push(sql`position > ${parsePosition(filter.after)}::bigint`)
  if (filter.upTo !== undefined) all.push(sql`position <= ${parsePosition(filter.upTo)}::bigint`)
  if (filter.until !== undefined) all.push(sql`time <= ${filter.until}::timestamptz`)
  return sql.join(all, sql` and `)
}

function typeCondition(type: string): RawBuilder<unknown> {
  if (!type.includes('*')) return sql`type = ${type}`
  return sql`type like ${type.replace(/[\\%_]/g, '\\$&').replaceAll('*', '%')}`
}
