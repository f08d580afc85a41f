import { eventErrors } from './errors.ts'

/** An event before it is in the log. */
export interface NewEvent {
  /** What it happened to, for example `goal/gol_01jd...`; versions count per stream. */
  stream: string
  /** `<noun>.<past participle>`, for example `goal.created`. */
  type: string
  data: unknown
  /** CloudEvents `subject`; default: the part of the stream after the first slash. */
  subject?: string
  /** Version of the shape of `data` for this type; default 1. Readers get it lifted to the newest by upcasters. */
  schema_version?: number
  /** The stream's version before this event; 0 = the stream must not exist. Another version is E0012. */
  expected_version?: number
  /** ISO time; default: the transaction's time by the database. */
  time?: string
  /** Needed only in a system-scoped transaction, where no tenant is implied. */
  tenant_id?: string
  /** Default: the transaction's subject. */
  actor?: string
  source?: string
  correlation_id?: string
  causation_id?: string
  traceparent?: string
}

/** An event as the log holds it; `position` is opaque, sorts as text, and is the same for every reader for ever. */
export interface StoredEvent {
  position: string
  tenant_id: string
  stream: string
  version: number
  id: string
  type: string
  schema_version: number
  source: string
  subject: string | null
  time: string
  actor: string
  correlation_id: string | null
  causation_id: string | null
  traceparent: string | null
  data: unknown
}

/** CloudEvents 1.0 in JSON form; what the standard has no name for travels as extension attributes. */
export type CloudEvent = {
  specversion: '1.0'
  id: string
  source: string
  type: string
  time: string
  datacontenttype: 'application/json'
  subject?: string
  data: unknown
  position: string
  stream: string
  version: number
  schemaversion: number
  actor: string
  correlationid?: string
  causationid?: string
  traceparent?: string
}

/** The event in its CloudEvents 1.0 envelope. */
export function toCloudEvent(event: StoredEvent): CloudEvent {
  const { subject, correlation_id, causation_id, traceparent } = event
  return {
    specversion: '1.0',
    id: event.id,
    source: event.source,
    type: event.type,
    time: event.time,
    datacontenttype: 'application/json',
    ...(subject === null ? {} : { subject }),
    data: event.data,
    position: event.position,
    stream: event.stream,
    version: event.version,
    schemaversion: event.schema_version,
    actor: event.actor,
    ...(correlation_id === null ? {} : { correlationid: correlation_id }),
    ...(causation_id === null ? {} : { causationid: causation_id }),
    ...(traceparent === null ? {} : { traceparent }),
  }
}

/** The position before the first event. */
export const START = '0'.repeat(20)

/** Number from the database -> opaque position: twenty digits, so that text order is log order. */
export function formatPosition(position: string | number | bigint): string {
  return String(position).padStart(20, '0')
}

/** Opaque position -> digits for SQL; throws E0308 for anything else, also above the range of bigint. */
export function parsePosition(position: string, path = 'after_position'): string {
  if (/^\d{20}$/.test(position) && BigInt(position) <= 9_223_372_036_854_775_807n) return BigInt(position).toString()
  throw eventErrors.badPosition(
    { position },
    { details: { faults: [{ path, message: 'is not a position of the event log' }] } },
  )
}
