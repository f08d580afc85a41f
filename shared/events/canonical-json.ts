import { createHash } from 'node:crypto'
import { eventErrors } from './errors.ts'

const MAX_DEPTH = 512

/**
 * JSON with one spelling for one value (RFC 8785): members sorted by UTF-16 code units, no white space, ECMAScript numbers.
 * Members that are undefined are left out. Throws E0301 with the path for anything that is not JSON, cycles included.
 */
export function canonicalJson(value: unknown): string {
  return write(value, '$', 0)
}

/** Hex SHA-256 of a text or bytes. */
export function sha256(data: string | Uint8Array): string {
  return createHash('sha256').update(data).digest('hex')
}

/** Hex SHA-256 of the canonical JSON: equal exactly for equal arguments, whatever the order of their members. */
export function hashJson(value: unknown): string {
  return sha256(canonicalJson(value))
}

function write(value: unknown, path: string, depth: number): string {
  if (depth > MAX_DEPTH) throw notJson(path, `it is nested deeper than ${MAX_DEPTH} or contains itself`)
  switch (typeof value) {
    case 'string':
      if (!value.isWellFormed()) throw notJson(path, 'a lone surrogate is no Unicode text')
      return JSON.stringify(value)
    case 'number':
      if (!Number.isFinite(value)) throw notJson(path, 'the number is not finite')
      return JSON.stringify(value)
    case 'boolean':
      return String(value)
    case 'object':
      if (value === null) return 'null'
      return Array.isArray(value) ? writeArray(value, path, depth) : writeObject(value, path, depth)
    default:
      throw notJson(path, `a ${typeof value} has no JSON form`)
  }
}

function writeArray(items: readonly unknown[], path: string, depth: number): string {
  return `[${items.map((item, i) => write(item === undefined ? null : item, `${path}[${i}]`, depth + 1)).join(',')}]`
}

function writeObject(object: object, path: string, depth: number): string {
  // Dates and the like say themselves what their JSON is; maps and sets would silently become {}.
  if ('toJSON' in object && typeof object.toJSON === 'function') return write(object.toJSON(), path, depth + 1)
  if (object instanceof Map || object instanceof Set) throw notJson(path, 'maps and sets have no JSON form')
  const members: string[] = []
  for (const [key, member] of Object.entries(object).sort(byCodeUnits)) {
    if (member === undefined) continue
    if (!key.isWellFormed()) throw notJson(path, 'a member name with a lone surrogate is no Unicode text')
    members.push(`${JSON.stringify(key)}:${write(member, `${path}.${key}`, depth + 1)}`)
  }
  return `{${members.join(',')}}`
}

function byCodeUnits([a]: [string, unknown], [b]: [string, unknown]): number {
  return a < b ? -1 : 1
}

function notJson(path: string, reason: string) {
  return eventErrors.notJson({ path, reason }, { details: { faults: [{ path, message: reason }] } })
}
