import { sql } from 'kysely'
import type { Scope, Tx } from '../db/index.ts'
import { errors } from '../errors/index.ts'
import { storableJson } from './storable.ts'
import { formatPosition, type NewEvent, type StoredEvent } from './stored-event.ts'
import { currentSchemaVersion } from './upcast.ts'

/** LISTEN channel that wakes followers. A hint only: positions in the log decide. */
export const EVENTS_CHANNEL = 'events'

/** NOTIFY takes a cluster-wide lock at commit, so one process sends at most one in this many ms; followers poll in between. */
const NOTIFY_EVERY_MS = 20

interface Pending {
  events: NewEvent[]
  hooked: boolean
  failed?: unknown
}

const PENDING = Symbol('events.pending')

/**
 * Adds an event to this transaction. It is written before COMMIT together with all others of the transaction, in one
 * statement that locks the streams last and in name order, so writers of the same streams never deadlock.
 */
export function recordEvent(tx: Tx, event: NewEvent): void {
  const pending = pendingOf(tx)
  pending.events.push(event)
  if (pending.hooked) return
  pending.hooked = true
  tx.beforeCommit(async () => {
    pending.hooked = false
    if (pending.failed) throw pending.failed
    await flush(tx, pending)
  })
}

/**
 * Writes these events, and those recorded before them, now. Streams stay locked until COMMIT, so call it last. A wrong
 * `expected_version` throws E0012 and the transaction can not commit any more.
 */
export async function appendEvents(tx: Tx, events: readonly NewEvent[]): Promise<StoredEvent[]> {
  if (events.length === 0) return []
  const pending = pendingOf(tx)
  pending.events.push(...events)
  return (await flush(tx, pending)).slice(-events.length)
}

function pendingOf(tx: Tx): Pending {
  const found = tx.slots.get(PENDING) as Pending | undefined
  if (found) return found
  const pending: Pending = { events: [], hooked: false }
  tx.slots.set(PENDING, pending)
  return pending
}

async function flush(tx: Tx, pending: Pending): Promise<StoredEvent[]> {
  const batch = pending.events
  pending.events = []
  if (batch.length === 0) return []
  try {
    return await insert(tx, aligned(batch.map((event) => complete(tx, event))))
  } catch (error) {
    // Streams without a fault may have advanced in the same statement: whoever catches this must not commit half a batch.
    pending.failed = error
    tx.beforeCommit(() => Promise.reject(error))
    throw error
  }
}

type Completed = Omit<StoredEvent, 'position' | 'version' | 'time'> & { time: string | null; expected: number | null }

function complete(tx: Tx, event: NewEvent): Completed {
  const defaults = scopeDefaults(tx.scope)
  const tenant_id = event.tenant_id ?? defaults.tenant_id
  if (tenant_id === undefined)
    throw new Error(`the event ${event.type} needs a tenant_id in a ${tx.scope.kind} transaction`)
  return {
    tenant_id,
    stream: event.stream,
    id: tx.newId('evt'),
    type: event.type,
    schema_version: event.schema_version ?? currentSchemaVersion(event.type),
    source: event.source ?? defaults.source,
    subject: event.subject ?? subjectOf(event.stream),
    time: event.time ?? null,
    actor: event.actor ?? defaults.actor,
    correlation_id: event.correlation_id ?? defaults.correlation_id ?? null,
    causation_id: event.causation_id ?? defaults.causation_id ?? null,
    traceparent: event.traceparent ?? defaults.traceparent ?? null,
    expected: event.expected_version ?? null,
    data: event.data,
  }
}

interface Defaults {
  tenant_id?: string
  actor: string
  source: string
  correlation_id?: string | undefined
  causation_id?: string | undefined
  traceparent?: string | undefined
}

function scopeDefaults(scope: Scope): Defaults {
  if (scope.kind !== 'tenant') {
    const name = scope.kind === 'system' ? scope.name : 'owner'
    return { actor: `system:${name}`, source: `story-portal/${name}` }
  }
  const { tenant_id, subject, source, correlation_id, causation_id, traceparent } = scope
  return { tenant_id, actor: subject, source: source ?? 'story-portal', correlation_id, causation_id, traceparent }
}

function subjectOf(stream: string): string | null {
  const slash = stream.indexOf('/')
  return slash < 0 ? null : stream.slice(slash + 1)
}

/**
 * `expected_version` of a stream's second event in a batch counts the first one too; the statement compares once per stream,
 * with the version before the batch. Two expectations that can't both be true are refused here.
 */
function aligned(batch: readonly Completed[]): Completed[] {
  const streams = new Map<string, { events: number; expected: number | null }>()
  return batch.map((event) => {
    const key = `${event.tenant_id} ${event.stream}`
    const seen = streams.get(key) ?? { events: 0, expected: null }
    const expected = event.expected === null ? null : event.expected - seen.events
    if (expected !== null && (expected < 0 || (seen.expected !== null && seen.expected !== expected))) {
      throw staleVersion(event.stream, (seen.expected ?? 0) + seen.events, event.expected ?? 0)
    }
    streams.set(key, { events: seen.events + 1, expected: seen.expected ?? expected })
    return { ...event, expected }
  })
}

interface Appended {
  id: string
  position: string
  version: number
  time: string
}

/**
 * One statement: lock and advance the streams in name order, then draw positions (nextval runs above the sorted join, so
 * after every lock), then insert. A stream at another version than expected is neither advanced nor written.
 */
async function insert(tx: Tx, batch: readonly Completed[]): Promise<StoredEvent[]> {
  const input = storableJson(
    batch.map((event, ord) => ({ ord, ...event })),
    'events',
  )
  const { rows } = await sql<Appended>`
    with input as materialized (
      select * from json_to_recordset(${input}::json) as e(ord int, tenant_id text, stream text, id text, type text,
        schema_version int, source text, subject text, time timestamptz, actor text, correlation_id text, causation_id text,
        traceparent text, expected int, data jsonb)
    ), wanted as materialized (
      select tenant_id, stream, count(*)::int as n, max(expected) as expected from input group by tenant_id, stream
    ), locked as (
      insert into core.streams as s (tenant_id, stream, version)
      select w.tenant_id, w.stream, w.n from wanted w
      where coalesce(w.expected, 0) = 0
        or exists (select from core.streams x where x.tenant_id = w.tenant_id and x.stream = w.stream)
      order by w.tenant_id collate "C", w.stream collate "C"
      on conflict (tenant_id, stream) do update set version = s.version + excluded.version
      where s.version = coalesce(
        (select w.expected from wanted w where w.tenant_id = s.tenant_id and w.stream = s.stream), s.version)
      returning s.tenant_id, s.stream, s.version
    ), numbered as (
      select i.*, l.version - w.n + row_number() over (partition by i.tenant_id, i.stream order by i.ord) as version
      from input i join wanted w using (tenant_id, stream) join locked l using (tenant_id, stream)
      order by i.ord
    )
    insert into core.events (position, tenant_id, stream, version, id, type, schema_version, source, subject, time, actor,
      correlation_id, causation_id, traceparent, data)
    select nextval('core.events_position'), tenant_id, stream, version, id, type, schema_version, source, subject,
      coalesce(time, core.now()), actor, correlation_id, causation_id, traceparent, coalesce(data, 'null')
    from numbered
    returning id, position::text, version, time, (select pg_notify(${EVENTS_CHANNEL}, '') where ${dueForNotify()}::boolean)`.execute(
    tx,
  )
  if (rows.length < batch.length) throw await wrongVersion(tx, batch, rows)
  const byId = new Map(rows.map((row) => [row.id, row]))
  return batch.map((event) => stored(event, byId))
}

function stored({ expected: _, ...event }: Completed, byId: Map<string, Appended>): StoredEvent {
  const row = byId.get(event.id)
  if (!row) throw new Error(`event ${event.id} was not written`)
  return { ...event, position: formatPosition(row.position), version: row.version, time: row.time }
}

let lastNotify = 0

function dueForNotify(): boolean {
  const now = performance.now()
  if (now - lastNotify < NOTIFY_EVERY_MS) return false
  lastNotify = now
  return true
}

async function wrongVersion(tx: Tx, batch: readonly Completed[], rows: readonly Appended[]): Promise<Error> {
  const written = new Set(rows.map((row) => row.id))
  const refused = batch.find((event) => !written.has(event.id))
  const stream = refused?.stream ?? ''
  const { rows: found } = await sql<{ version: number }>`
    select version from core.streams where tenant_id = ${refused?.tenant_id ?? ''} and stream = ${stream}`.execute(tx)
  return staleVersion(stream, found[0]?.version ?? 0, refused?.expected ?? 0)
}

function staleVersion(stream: string, actual: number, expected: number) {
  const message = `is ${expected}, the stream is at ${actual}`
  return errors.versionConflict(
    { what: `Stream ${stream}`, actual, expected },
    { details: { stream, actual, expected, faults: [{ path: 'expected_version', message }] } },
  )
}
