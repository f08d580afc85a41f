import type { z } from 'zod'
import { errors, type Fault, type StoryPortalError, safeText } from '../errors/index.ts'
import type { CompiledTool } from './definition.ts'
import { suggest } from './suggest.ts'
import { unknownFields } from './unknown-fields.ts'

type Issue = z.core.$ZodIssue

/** The arguments as the tool wants them, or INVALID_INPUT naming every fault with its path and the likely correction. */
export function parseArguments(tool: CompiledTool, raw: unknown): Record<string, unknown> {
  if (typeof raw !== 'object' || raw === null || Array.isArray(raw)) {
    throw invalid([{ path: '', message: 'the arguments must be one JSON object' }])
  }
  const parsed = tool.input.safeParse(raw)
  const faults = unknownFields(tool.definition.inputSchema, raw)
  if (!parsed.success) faults.push(...parsed.error.issues.flatMap((issue) => toFaults(issue, [], raw)))
  if (!parsed.success || faults.length > 0) throw invalid(faults)
  return parsed.data
}

function invalid(faults: Fault[]): StoryPortalError {
  const shown = faults.slice(0, 20)
  const first = shown[0] ?? { path: '', message: 'unknown fault' }
  const more = faults.length > 1 ? ` (and ${faults.length - 1} more)` : ''
  const hint = faults.length === 1 && first.hint !== undefined ? { hint: first.hint } : {}
  const summary = `${first.path === '' ? '' : `${first.path} `}${first.message}${more}`
  return errors.invalidInput({ summary }, { details: { faults: shown }, ...hint })
}

function toFaults(issue: Issue, prefix: readonly PropertyKey[], raw: unknown): Fault[] {
  const keys = [...prefix, ...issue.path]
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({ path: pathText([...keys, key]), message: 'is not a known field' }))
  }
  if (issue.code === 'invalid_union') return unionFaults(issue, keys, raw)
  const value = valueAt(raw, keys)
  const hint = hintFor(issue, value)
  return [{ path: pathText(keys), message: wording(issue, value), ...(hint === undefined ? {} : { hint }) }]
}

/** Of a union, the branch that came furthest speaks; when none fits even roughly, the union itself does. */
function unionFaults(issue: Issue & { code: 'invalid_union' }, keys: PropertyKey[], raw: unknown): Fault[] {
  const near = issue.errors
    .filter((branch) => branch.length > 0 && branch.every(({ path }) => path.length > 0))
    .sort((a, b) => a.length - b.length)[0]
  if (near) return near.flatMap((inner) => toFaults(inner, keys, raw))
  const missing = valueAt(raw, keys) === undefined
  return [{ path: pathText(keys), message: missing ? 'is required' : 'has none of the allowed forms' }]
}

function wording(issue: Issue, value: unknown): string {
  if (value === undefined && (issue.code === 'invalid_type' || issue.code === 'invalid_value')) return 'is required'
  switch (issue.code) {
    case 'invalid_type':
      return `must be ${article(issue.expected)}, not ${article(kindOf(value))}`
    case 'invalid_value':
      return `must be ${issue.values.length > 1 ? 'one of ' : ''}${issue.values.slice(0, 20).map(String).join(', ')}`
    case 'too_small':
      return `must ${sizeWording(issue.origin)} ${issue.exact ? 'exactly' : 'at least'} ${issue.minimum}`
    case 'too_big':
      return `must ${sizeWording(issue.origin)} ${issue.exact ? 'exactly' : 'at most'} ${issue.maximum}`
    case 'not_multiple_of':
      return `must be a multiple of ${issue.divisor}`
    case 'invalid_format':
      return issue.format === 'regex'
        ? `must match ${issue.pattern ?? 'the pattern'}`
        : `must be a valid ${issue.format}`
    case 'invalid_key':
      return 'has a field whose name is not allowed'
    case 'custom':
      return issue.message
    default:
      return 'is not valid'
  }
}

function sizeWording(origin: string): string {
  if (origin === 'string') return 'have a length of'
  return origin === 'array' || origin === 'set' || origin === 'object' ? 'have a size of' : 'be'
}

function hintFor(issue: Issue, value: unknown): string | undefined {
  if (issue.code !== 'invalid_value' || typeof value !== 'string') return undefined
  const near = suggest(value, issue.values.map(String))
  return near === undefined ? undefined : `Did you mean ${near}?`
}

function article(type: string): string {
  const kind = type === 'int' ? 'integer' : type
  if (kind === 'null' || kind === 'undefined') return kind
  return /^[aeio]/.test(kind) ? `an ${kind}` : `a ${kind}`
}

function kindOf(value: unknown): string {
  if (value === null) return 'null'
  return Array.isArray(value) ? 'array' : typeof value
}

function valueAt(raw: unknown, keys: readonly PropertyKey[]): unknown {
  let value = raw
  for (const key of keys) {
    if (typeof value !== 'object' || value === null) return undefined
    value = (value as Record<PropertyKey, unknown>)[key]
  }
  return value
}

function pathText(keys: readonly PropertyKey[]): string {
  const text = keys.map((key) => (typeof key === 'number' ? `[${key}]` : `.${safeText(key, 60)}`)).join('')
  return text.startsWith('.') ? text.slice(1) : text
}
