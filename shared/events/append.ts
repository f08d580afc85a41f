import { CompiledQuery } from 'kysely'
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
  failed?: unknown
}

const PENDING = Symbol('events.pending')

/**
 * Adds an event to this transaction. It is written with COMMIT together with all others of the transaction, in one statement
 * that locks the streams last and in name order, so writers of the same streams never deadlock.
 */
export function recordEvent(tx: Tx, event: NewEvent): void {
  pendingOf(tx).events.push(event)
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
  const pending: Pending = { events: [] }
  tx.slots.set(PENDING, pending)
  tx.withCommit(() => {
    // A refused batch whose error was caught: streams without a fault have advanced in the same statement.
    if (pending.failed) throw pending.failed
    const batch = take(tx, pending)
    return batch.length === 0 ? undefined : statement(batch, 'nothing')
  })
  return pending
}

function take(tx: Tx, pending: Pending): Completed[] {
  const batch = pending.events
  pending.events = []
  return aligned(batch.map((event) => complete(tx, event)))
}

async function flush(tx: Tx, pending: Pending): Promise<StoredEvent[]> {
  try {
    const batch = take(tx, pending)
    const { rows } = await tx.executeQuery(statement(batch, 'rows'))
    const byId = new Map(rows.map((row) => [row.id, row]))
    return batch.map((event) => stored(event, byId))
  } catch (error) {
    pending.failed = error
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
 * after every lock), then insert. A stream at another version than expected is neither advanced nor written, and the statement
 * fails with E0012. $1: the events as JSON, $2: whether to wake followers, and of one stream $3 to $6.
 */
function statement(batch: readonly Completed[], answer: Answer): CompiledQuery<Appended> {
  const input = storableJson(
    batch.map((event, ord) => ({ ord, ...event })),
    'events',
  )
  const [first] = batch
  const one = first !== undefined && batch.every((event) => isSameStream(event, first))
  if (!one) return CompiledQuery.raw(text(MANY_STREAMS, answer), [input, dueForNotify()])
  const { tenant_id, stream, expected } = first
  const lock = expected === null ? ANY_VERSION : expected === 0 ? NEW_STREAM : KNOWN_VERSION
  const parameters = [input, dueForNotify(), tenant_id, stream, batch.length]
  return CompiledQuery.raw(text(lock, answer), lock === KNOWN_VERSION ? [...parameters, expected] : parameters)
}

type Answer = 'rows' | 'nothing'

function isSameStream(a: Completed, b: Completed): boolean {
  return a.tenant_id === b.tenant_id && a.stream === b.stream
}

/**
 * `locked`: the streams that took their events, at their new version. `wanted`: all that should have. What is expected is asked
 * for with IN, which hashes: looked up for each stream by itself, 10,000 streams would cost 10,000 times 10,000.
 */
const MANY_STREAMS = `wanted as materialized (
    select tenant_id, stream, count(*)::int as n, max(expected) as expected from input group by tenant_id, stream
  ), locked as (
    insert into core.streams as s (tenant_id, stream, version)
    select w.tenant_id, w.stream, w.n from wanted w
      left join lateral (
        select true as known from core.streams x where x.tenant_id = w.tenant_id and x.stream = w.stream limit 1
      ) x on w.expected > 0
    where coalesce(w.expected, 0) = 0 or x.known
    order by w.tenant_id collate "C", w.stream collate "C"
    on conflict (tenant_id, stream) do update set version = s.version + excluded.version
    where (s.tenant_id, s.stream, s.version) in (select tenant_id, stream, expected from wanted where expected is not null)
      or (s.tenant_id, s.stream) in (select tenant_id, stream from wanted where expected is null)
    returning s.tenant_id, s.stream, s.version
  )`

/** Events of one stream, as nearly every change has them, find its row by equality and need no plan for sets. */
const oneStream = (expected: string, lock: string) => `wanted as materialized (
    select $3::text as tenant_id, $4::text as stream, $5::int as n, ${expected} as expected
  ), locked as (${lock} returning s.tenant_id, s.stream, s.version)`

const INSERT =
  'insert into core.streams as s (tenant_id, stream, version) values ($3::text, $4::text, $5::int) on conflict'
const ANY_VERSION = oneStream(
  'null::int',
  `${INSERT} (tenant_id, stream) do update set version = s.version + excluded.version`,
)
const NEW_STREAM = oneStream('0', `${INSERT} do nothing`)
const KNOWN_VERSION = oneStream(
  '$6::int',
  `update core.streams s set version = s.version + $5::int
    where s.tenant_id = $3::text and s.stream = $4::text and s.version = $6::int`,
)

function text(streams: string, answer: Answer): string {
  return `with input as materialized (
    select * from json_to_recordset($1::json) as e(ord int, tenant_id text, stream text, id text, type text,
      schema_version int, source text, subject text, time timestamptz, actor text, correlation_id text, causation_id text,
      traceparent text, expected int, data jsonb)
  ), ${streams}, numbered as (
    select i.*, l.version - w.n + row_number() over (partition by i.tenant_id, i.stream order by i.ord) as version
    from input i join wanted w using (tenant_id, stream) join locked l using (tenant_id, stream)
    order by i.ord
  ), written as (
    insert into core.events (position, tenant_id, stream, version, id, type, schema_version, source, subject, time, actor,
      correlation_id, causation_id, traceparent, data)
    select nextval('core.events_position'), tenant_id, stream, version, id, type, schema_version, source, subject,
      coalesce(time, core.now()), actor, correlation_id, causation_id, traceparent, coalesce(data, 'null')
    from numbered
    returning id, position::text, version, time
  )
  select id, position, version, time from written ${answer === 'rows' ? '' : 'where false'}
  union all
  select core.refuse_append(w.tenant_id, w.stream, w.expected), null, null, null from wanted w
  where not exists (select from locked l where l.tenant_id = w.tenant_id and l.stream = w.stream)
  union all
  select null, pg_notify('${EVENTS_CHANNEL}', '')::text, null, null where $2::boolean`
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

function staleVersion(stream: string, actual: number, expected: number) {
  const message = `is ${expected}, the stream is at ${actual}`
  return errors.versionConflict(
    { what: `Stream ${stream}`, actual, expected },
    { details: { stream, actual, expected, faults: [{ path: 'expected_version', message }] } },
  )
}
