import { isSilence, planErrors, type TaskOutcome } from '@story-portal/shared/engine'
import { isStoryPortalError, toErrorBody } from '@story-portal/shared/errors'

/** Refusals that another try of the same task would only meet again; everything else the task's retry policy decides. */
const FINAL_CODES = ['DENIED', 'UNAUTHENTICATED', 'NOT_FOUND']
/** Arguments that don't fit, and code that doesn't parse. */
const FINAL_NUMBERS = ['E0001', 'E3002']

/** What is recorded for a task whose dispatch was refused or failed. */
export function failedBy(error: unknown): TaskOutcome {
  return failedWith(toErrorBody(error).error)
}

/** The same from an error that is already in the form of the wire, as an invocation keeps it. */
export function failedWith(error: { code?: unknown; number?: unknown }): TaskOutcome {
  const final = FINAL_CODES.includes(String(error.code)) || FINAL_NUMBERS.includes(String(error.number))
  return { status: 'failed', error, retryable: !final }
}

/**
 * Whether a dispatch got no answer about the work itself: the database, the other process or the deadline came between. Then
 * the same key is sent again, because whatever happened is recorded under it. What an invocation has on record is an answer.
 */
export const leftOpen = isSilence

const LEASE_LOST = planErrors.leaseLost().number

/** The task is another worker's now, or nobody's any more. */
export function isLeaseLost(error: unknown): boolean {
  return isStoryPortalError(error) && error.number === LEASE_LOST
}
