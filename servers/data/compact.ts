/** Longest JSON value shown in a list. */
const MAX_VALUE_CHARS = 2000

/**
 * A record as a list shows it: without nulls and the tenant, and without long values, which `omitted` names; get_record has
 * them.
 */
export function compact<T extends { id: string }>(record: T): Record<string, unknown> {
  const shown: Record<string, unknown> = {}
  const omitted: string[] = []
  for (const [name, value] of Object.entries(record)) {
    if (value === null || name === 'tenant_id') continue
    const long = typeof value === 'string' ? value.length : typeof value === 'object' ? JSON.stringify(value).length : 0
    if (long > MAX_VALUE_CHARS) omitted.push(name)
    else shown[name] = value
  }
  return omitted.length > 0 ? { ...shown, omitted } : shown
}
