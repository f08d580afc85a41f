import type { z } from 'zod'
import { type Fault, invalidBy, issueWords, safeText, valueAt } from '../errors/index.ts'
import type { CompiledTool } from './definition.ts'
import { suggest } from './suggest.ts'
import { unknownFields } from './unknown-fields.ts'

type Issue = z.core.$ZodIssue

/** The arguments as the tool wants them, or INVALID_INPUT naming every fault with its path and the likely correction. */
export function parseArguments(tool: CompiledTool, raw: unknown): Record<string, unknown> {
  if (typeof raw !== 'object' || raw === null || Array.isArray(raw)) {
    throw invalidBy([{ path: '', message: 'the arguments must be one JSON object' }])
  }
  const parsed = tool.input.safeParse(raw)
  const faults = unknownFields(tool.definition.inputSchema, raw)
  if (!parsed.success) faults.push(...parsed.error.issues.flatMap((issue) => toFaults(issue, [], raw)))
  if (!parsed.success || faults.length > 0) throw invalidBy(faults)
  return parsed.data
}

/** What a schema of ours finds in a part of the arguments; paths begin with the name of that part. */
export function schemaFaults(error: z.ZodError, given: unknown, root: string): Fault[] {
  return error.issues
    .flatMap((issue) => toFaults(issue, [], given))
    .map((fault) => ({ ...fault, path: `${root}${root === '' || /^(\[|$)/.test(fault.path) ? '' : '.'}${fault.path}` }))
}

function toFaults(issue: Issue, prefix: readonly PropertyKey[], raw: unknown): Fault[] {
  const keys = [...prefix, ...issue.path]
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({ path: pathText([...keys, key]), message: 'is not a known field' }))
  }
  if (issue.code === 'invalid_union') return unionFaults(issue, keys, raw)
  const value = valueAt(raw, keys)
  const hint = hintFor(issue, value)
  return [{ path: pathText(keys), message: issueWords(issue, raw, keys), ...(hint === undefined ? {} : { hint }) }]
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

function hintFor(issue: Issue, value: unknown): string | undefined {
  if (issue.code !== 'invalid_value' || typeof value !== 'string') return undefined
  const near = suggest(value, issue.values.map(String))
  return near === undefined ? undefined : `Did you mean ${near}?`
}

function pathText(keys: readonly PropertyKey[]): string {
  const text = keys.map((key) => (typeof key === 'number' ? `[${key}]` : `.${safeText(key, 60)}`)).join('')
  return text.startsWith('.') ? text.slice(1) : text
}
