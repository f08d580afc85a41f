import { errors, type Fault, issueWords, safeText } from '@story-portal/shared/errors'
import { suggest } from '@story-portal/shared/mcp'
import type { z } from 'zod'
import { PARTS, Updates } from './checkpoint.ts'

/**
 * The updates as parts of a checkpoint, or INVALID_INPUT with every fault. Checked here and not by the definition of the tool, which
 * would be twice as long as clients should have to read.
 */
export function checkedUpdates(given: Record<string, unknown>): Updates {
  const parsed = Updates.safeParse(given)
  if (parsed.success) return parsed.data
  const faults = parsed.error.issues.flatMap((issue) => faultsOf(issue, given)).slice(0, 20)
  const summary = `${faults[0]?.path} ${faults[0]?.message}${faults.length > 1 ? ` (and ${faults.length - 1} more)` : ''}`
  throw errors.invalidInput({ summary }, { details: { faults } })
}

function faultsOf(issue: z.core.$ZodIssue, given: unknown): Fault[] {
  const at = pathText(issue.path)
  if (issue.code !== 'unrecognized_keys') return [{ path: at, message: issueWords(issue, given) }]
  return issue.keys.map((key) => {
    const near = issue.path.length === 0 ? suggest(key, PARTS) : undefined
    const hint = near === undefined ? {} : { hint: `Did you mean ${near}?` }
    return { path: `${at}.${safeText(key, 60)}`, message: 'is not a known field', ...hint }
  })
}

function pathText(keys: readonly PropertyKey[]): string {
  return `updates${keys.map((key) => (typeof key === 'number' ? `[${key}]` : `.${safeText(key, 60)}`)).join('')}`
}
