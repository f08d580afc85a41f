import type { z } from 'zod'
import { type Fault, safeText } from '../errors/index.ts'
import { TASK_KINDS } from './definition.ts'
import { lookUp } from './path.ts'

type Issue = z.core.$ZodIssue

/** Schema issues in our own words; paths such as `tasks[3].retry.factor`. */
export function shapeFaults(issues: readonly Issue[], raw: unknown): Fault[] {
  return issues.flatMap((issue) => {
    if (issue.code === 'unrecognized_keys') {
      return issue.keys.map((key) => ({
        path: join([...issue.path, key]),
        message: 'is not a known field',
        hint: 'get_tool_definition of create_plan lists the fields of a plan and of a task.',
      }))
    }
    return [{ path: join(issue.path), ...wording(issue, lookUp(raw, issue.path.map(asSegment))) }]
  })
}

function wording(issue: Issue, value: unknown): Omit<Fault, 'path'> {
  const field = issue.path.at(-1)
  if (field === 'kind') {
    const shown = typeof value === 'string' ? `${safeText(value, 40)} is not a kind of task` : 'is required'
    return { message: shown, hint: `Use one of ${TASK_KINDS.join(', ')}.` }
  }
  if (value === undefined) return { message: 'is required' }
  switch (issue.code) {
    case 'invalid_type':
      return { message: `must be ${issue.expected}` }
    case 'invalid_value':
      return { message: `must be one of ${issue.values.map(String).join(', ')}` }
    case 'too_small':
      return { message: `must be at least ${issue.minimum}` }
    case 'too_big':
      return { message: `must be at most ${issue.maximum}` }
    case 'invalid_format':
      return { message: field === 'key' ? issue.message : 'has not the right form' }
    default:
      return { message: 'has none of the allowed forms' }
  }
}

function join(path: readonly PropertyKey[]): string {
  const text = path.map((part) => (typeof part === 'number' ? `[${part}]` : `.${safeText(part, 60)}`)).join('')
  return text.startsWith('.') ? text.slice(1) : text
}

function asSegment(part: PropertyKey): string | number {
  return typeof part === 'number' ? part : String(part)
}
