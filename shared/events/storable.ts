import { eventErrors } from './errors.ts'

/**
 * Turns a value into JSON text that PostgreSQL takes as jsonb, or throws E0302 with the path. PostgreSQL refuses U+0000 and
 * lone surrogates in jsonb, and a lone surrogate in a plain text parameter is silently replaced: both are caught here, once,
 * on the way of every record and event. `root` names the value in the error's path.
 */
export function storableJson(value: unknown, root = 'data'): string {
  const text = JSON.stringify(value) ?? 'null'
  // JSON.stringify writes both as an escape, so text without any escape is fine; the walk runs only for suspects.
  if (text.includes('\\u0000') || text.includes('\\ud')) assertStorable(value, root)
  return text
}

/** Throws E0302 with the path to the first string that PostgreSQL can not store. */
export function assertStorable(value: unknown, path: string): void {
  if (typeof value === 'string') {
    assertText(value, path)
    return
  }
  if (typeof value !== 'object' || value === null) return
  if (Array.isArray(value)) {
    for (const [i, item] of value.entries()) assertStorable(item, `${path}[${i}]`)
    return
  }
  for (const [key, member] of Object.entries(value)) {
    assertText(key, path)
    assertStorable(member, path === '' ? key : `${path}.${key}`)
  }
}

function assertText(text: string, path: string): void {
  const what = text.includes('\0')
    ? 'the character U+0000'
    : text.isWellFormed()
      ? undefined
      : 'half of a surrogate pair'
  if (!what) return
  throw eventErrors.notStorableText(
    { path: path === '' ? 'a member name' : path, what },
    { details: { faults: [{ path, message: `holds ${what}` }] } },
  )
}
