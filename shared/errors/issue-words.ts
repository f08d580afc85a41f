import type { z } from 'zod'

/** A schema issue in our own words, such as `must be an integer`; `given` is what the path begins in. Words of our own schemas stay. */
export function issueWords(issue: z.core.$ZodIssue, given: unknown, path: readonly PropertyKey[] = issue.path): string {
  const value = valueAt(given, path)
  if (value === undefined && (issue.code === 'invalid_type' || issue.code === 'invalid_value')) return 'is required'
  switch (issue.code) {
    case 'invalid_type':
      return `must be ${article(issue.expected)}, not ${article(kindOf(value))}`
    case 'invalid_value':
      return `must be ${issue.values.length > 1 ? 'one of ' : ''}${issue.values.slice(0, 20).map(String).join(', ')}`
    case 'too_small':
      return `must ${sizeWords(issue.origin)} ${issue.exact ? 'exactly' : 'at least'} ${issue.minimum}`
    case 'too_big':
      return `must ${sizeWords(issue.origin)} ${issue.exact ? 'exactly' : 'at most'} ${issue.maximum}`
    case 'not_multiple_of':
      return `must be a multiple of ${issue.divisor}`
    case 'unrecognized_keys':
      return 'has fields that are not known'
    case 'invalid_format':
      return formatWords(issue)
    case 'invalid_union':
      return 'has none of the allowed forms'
    case 'invalid_key':
      return 'has a field whose name is not allowed'
    case 'custom':
      // Every refinement of ours says what it wants; without words it is the library that speaks.
      return issue.message === 'Invalid input' ? 'is not valid' : issue.message
    default:
      return 'is not valid'
  }
}

/** What stands at a path; undefined when there is nothing. */
export function valueAt(given: unknown, path: readonly PropertyKey[]): unknown {
  let value = given
  for (const key of path) {
    if (typeof value !== 'object' || value === null) return undefined
    value = (value as Record<PropertyKey, unknown>)[key]
  }
  return value
}

const FORMATS: Record<string, string> = {
  datetime: 'a time such as 2026-01-31T12:00:00Z',
  date: 'a date such as 2026-01-31',
  url: 'a URL',
  email: 'an e-mail address',
}

function formatWords({ format, pattern, message }: z.core.$ZodIssueInvalidStringFormat): string {
  if (format === 'regex') return message.startsWith('Invalid string') ? `must match ${pattern ?? 'a pattern'}` : message
  return `must be ${FORMATS[format] ?? `a valid ${format}`}`
}

function sizeWords(origin: string): string {
  if (origin === 'string') return 'have a length of'
  return origin === 'array' || origin === 'set' || origin === 'object' ? 'have a size of' : 'be'
}

function article(type: string): string {
  const kind = type === 'int' ? 'integer' : type === 'record' ? 'object' : type
  if (kind === 'null' || kind === 'undefined') return kind
  return /^[aeio]/.test(kind) ? `an ${kind}` : `a ${kind}`
}

function kindOf(value: unknown): string {
  if (value === null) return 'null'
  return Array.isArray(value) ? 'array' : typeof value
}
