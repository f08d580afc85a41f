import { hashJson } from '../events/index.ts'
import type { InvocationRecord } from './types.ts'

/** The last part of the key of one attempt at a step of a task: `task/<id>`, then `/calls/<index>.<hash>` per nesting of code. */
const ATTEMPT = /(?:^|\/)(task\/[A-Za-z0-9_-]+(?:\/calls\/\d+(?:\.[0-9a-f]{16})?)*)\/(\d+)$/

/** Tools that keep their own journal by attempt: a failed attempt is on record under its key, so the next needs one of its own. */
const RUN_CODE = ['tool-execution.run_code', 'tool-execution.invoke_tool']

/** The step that an invocation is one attempt at; undefined for calls that no task made. */
export function stepOf({ call_key }: Pick<InvocationRecord, 'call_key'>): { key: string; attempt: number } | undefined {
  const [, key, attempt] = ATTEMPT.exec(call_key) ?? []
  return key === undefined ? undefined : { key, attempt: Number(attempt) }
}

/** The key of an attempt at a step. */
export function attemptKey(step: string, attempt: number): string {
  return `${step}/${attempt}`
}

/**
 * The idempotency key that a call of one of our tools is sent under, the same whoever dispatches it: the step's over all attempts,
 * because the tool keeps it together with its effect, or the attempt's for code, whose own calls go by the step again. A call of
 * code carries what it is too: a later attempt may take another path, and another call at the same index is another effect, as
 * is everything that it leads to.
 */
export function calleeKey({ call_key, tool, arguments_hash }: Called): string {
  const step = stepOf({ call_key })
  if (step === undefined) return call_key
  const byCode = step.key.includes('/calls/')
  const key = byCode ? `${step.key}.${hashJson([tool, arguments_hash]).slice(0, 16)}` : step.key
  return RUN_CODE.includes(tool ?? '') ? attemptKey(key, step.attempt) : key
}

type Called = Pick<InvocationRecord, 'call_key' | 'tool' | 'arguments_hash'>
