import type { z } from 'zod'
import { type Fault, issueWords, safeText, valueAt } from '../errors/index.ts'
import { TASK_KINDS } from './definition.ts'

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
    return [{ path: join(issue.path), ...wording(issue, raw) }]
  })
}

function wording(issue: Issue, raw: unknown): Omit<Fault, 'path'> {
  const value = valueAt(raw, issue.path)
  const field = issue.path.at(-1)
  if (field === 'kind') {
    const shown = typeof value === 'string' ? `${safeText(value, 40)} is not a kind of task` : 'is required'
    return { message: shown, hint: `Use one of ${TASK_KINDS.join(', ')}.` }
  }
  return { message: value === undefined ? 'is required' : issueWords(issue, raw) }
}

function join(path: readonly PropertyKey[]): string {
  const text = path.map((part) => (typeof part === 'number' ? `[${part}]` : `.${safeText(part, 60)}`)).join('')
  return text.startsWith('.') ? text.slice(1) : text
}
