import { isStoryPortalError } from '../errors/index.ts'
import { callErrors, planErrors } from './errors.ts'

const OPEN_CALLS = [callErrors.stillRunning().number, callErrors.abandoned().number]
const WAITS = callErrors.waitsForApproval({ approval: '' }).number
const LEASE_LOST = planErrors.leaseLost().number
/** `E0007` is how a process names itself when it is cut off. */
const STOPPING = ['E0007', callErrors.abandoned().number, WAITS, LEASE_LOST]

/**
 * Whether an error says nothing about the work: the database, the other process or the line to it came between, or another
 * worker still has the call. The effect may be there, so the same key is sent again. An error that an invocation has on record
 * (it names it), and one of the layers above, is an answer.
 */
export function isSilence(error: unknown): boolean {
  if (!isStoryPortalError(error) || error.code !== 'UNAVAILABLE') return false
  if (error.details?.['invocation_id'] !== undefined) return false
  return /^E0(?![56])/.test(error.number) || OPEN_CALLS.includes(error.number)
}

/** Whether a call that ended so has to be handed back unrecorded: nobody knows the outcome, it is another worker's to record, or a person is to decide first. */
export function leavesOpen(error: unknown): boolean {
  return isSilence(error) || (isStoryPortalError(error) && [WAITS, LEASE_LOST].includes(error.number))
}

/** Whether a signal was aborted because the worker stops, and not because somebody cancelled the work or the work has ended. */
export function stopsWorker(reason: unknown): boolean {
  return reason === 'lease_lost' || reason === 'abandoned' || hasStopNumber(reason)
}

function hasStopNumber(reason: unknown): boolean {
  return isStoryPortalError(reason) && STOPPING.includes(reason.number)
}
