import { setTimeout as sleep } from 'node:timers/promises'
import { callErrors } from '@story-portal/shared/engine'
import { leftOpen } from './outcome.ts'

/** Tries before a missing answer counts as a failure; the waits between them add up to about a minute. */
const MAX_TRIES = 10
const FIRST_WAIT_MS = 250
const MAX_WAIT_MS = 15_000

/**
 * Sends a call, and sends it again under the same key while no answer about the work comes back: whatever happened is recorded
 * under the key, so asking again finds it and never does it twice. Once the task is given up it is handed back unanswered.
 */
export async function askAgain<T>(
  send: () => Promise<T>,
  signal: AbortSignal,
  onSilence: (error: unknown, tried: number) => void,
): Promise<T> {
  for (let tried = 1; ; tried++) {
    if (signal.aborted) throw callErrors.abandoned()
    try {
      return await send()
    } catch (error) {
      if (!leftOpen(error) || tried === MAX_TRIES) throw error
      onSilence(error, tried)
    }
    await pause(tried, signal)
  }
}

/** Waits longer each time; returns at once when the signal is aborted. */
export async function pause(times: number, signal: AbortSignal): Promise<void> {
  const ms = Math.min(MAX_WAIT_MS, FIRST_WAIT_MS * 2 ** (times - 1))
  await sleep(ms, undefined, { signal }).catch(() => {
    // Given up while waiting: the caller looks at the signal.
  })
}
