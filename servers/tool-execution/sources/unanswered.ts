import { callErrors, leavesOpen } from '@story-portal/shared/engine'
import { isStoryPortalError } from '@story-portal/shared/errors'
import type { HostCall } from '../sandbox/sandbox.ts'

const WAITS = callErrors.waitsForApproval({ approval: '' }).number

/**
 * Ends a run whose call has no answer: told to the code it would be one, and the next run would get another at this index. With
 * a call that waits for a person the run ends only when no other is under way, because an end takes those along.
 */
export class Unanswered {
  readonly #end = new AbortController()
  #underWay = 0
  #awaited: unknown

  /** Aborted, with the reason, when the run is to end. */
  get signal(): AbortSignal {
    return this.#end.signal
  }

  /** Answers one call of the run. */
  async answer(call: HostCall, answer: (call: HostCall) => Promise<unknown>): Promise<unknown> {
    this.#underWay += 1
    let waiting: unknown
    try {
      return await answer(call)
    } catch (error) {
      if (!leavesOpen(error) || call.signal.aborted) throw error
      if (waitsForPerson(error)) waiting = error
      else this.#end.abort(callErrors.abandoned())
      if (waiting === undefined) throw error
    } finally {
      this.#underWay -= 1
      this.#awaited ??= waiting
      if (this.#underWay === 0 && this.#awaited !== undefined) this.#end.abort(this.#awaited)
    }
    await ended(call.signal)
    throw waiting
  }
}

function waitsForPerson(error: unknown): boolean {
  return isStoryPortalError(error) && error.number === WAITS
}

function ended(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
}
