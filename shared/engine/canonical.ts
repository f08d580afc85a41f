import { createHash } from 'node:crypto'

/**
 * One text per JSON value (RFC 8785): keys sorted by UTF-16 code units, numbers and strings as ECMAScript prints them. Members
 * that JSON drops (`undefined`, functions) are dropped; a number that JSON can't hold becomes null, as in JSON.stringify.
 */
export function canonicalJson(value: unknown): string {
  return write(value) ?? 'null'
}

/** SHA-256 (hex) of the canonical JSON: two calls with the same hash asked for the same thing (I5). */
export function argumentsHash(value: unknown): string {
  return createHash('sha256').update(canonicalJson(value)).digest('hex')
}

function write(value: unknown): string | undefined {
  if (value === null || typeof value !== 'object') return JSON.stringify(value)
  if (Array.isArray(value)) return `[${value.map((item) => write(item) ?? 'null').join(',')}]`
  if ('toJSON' in value && typeof value.toJSON === 'function') return write(value.toJSON())
  const members: string[] = []
  for (const key of Object.keys(value).sort()) {
    const text = write((value as Record<string, unknown>)[key])
    if (text !== undefined) members.push(`${JSON.stringify(key)}:${text}`)
  }
  return `{${members.join(',')}}`
}
