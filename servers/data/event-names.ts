import { kindNames, VERBS } from '@story-portal/shared/data'
import { eventErrors } from '@story-portal/shared/events'

const verbs: readonly string[] = VERBS
const kinds: ReadonlySet<string> = new Set(kindNames)

/** Throws E0306 for a stream that is not one, or that belongs to a record: only record tools write those. */
export function assertOwnStream(stream: string): void {
  const reason = /^[A-Za-z0-9][\w.:/-]{0,199}$/.test(stream)
    ? kinds.has(stream.split('/', 1)[0] ?? '') && 'it belongs to a record'
    : 'it has other characters, or is too long'
  if (reason) throw eventErrors.badStream({ stream, reason }, faults('stream', reason))
}

/** Throws E0307 for a type that is not one, or that the platform itself writes. */
export function assertOwnType(type: string): void {
  const reason =
    /^[a-z][a-z0-9_]*(\.[a-z0-9_]+)*$/.test(type) && type.length <= 200 ? reservedReason(type) : 'it has another form'
  if (reason) throw badType(type, reason)
}

/** Throws E0307 for a type, or pattern with `*`, that no event can have. */
export function assertListable(type: string): void {
  const wellFormed = /^[a-z*][a-z0-9_*]*(\.[a-z0-9_*]+)*$/.test(type) && type.length <= 200
  if (!wellFormed) throw badType(type, 'it has another form')
  const [head = '', verb = ''] = type.split('.', 2)
  if (!type.includes('*') && kinds.has(head) && !verbs.includes(verb))
    throw badType(type, `a ${head} has no such event`)
}

function reservedReason(type: string): string | undefined {
  return kinds.has(type.split('.', 1)[0] ?? '') ? 'types of records are written by the platform only' : undefined
}

function badType(type: string, reason: string) {
  const known = VERBS.map((verb) => `<kind>.${verb}`).join(', ')
  return eventErrors.badEventType({ type, reason, known }, faults('type', reason))
}

function faults(path: string, message: string) {
  return { details: { faults: [{ path, message }] } }
}
