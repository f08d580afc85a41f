import { setTimeout as sleep } from 'node:timers/promises'
import { type ClaimedTask, finishTask, type TaskOutcome } from '@story-portal/shared/engine'
import { isStoryPortalError, type StoryPortalError } from '@story-portal/shared/errors'
import type { Host } from '@story-portal/shared/mcp'
import { dispatchTask, taskScope } from './dispatch.ts'
import { failedBy, isLeaseLost, leftOpen } from './outcome.ts'
import type { runIds } from './run-ids.ts'

/** A claimed task in this process. */
export interface Held {
  task: ClaimedTask
  runId: string | undefined
  abort: AbortController
  /** When its lease was last known to be ours, by the monotonic clock. */
  seen: number
  done: Promise<void>
}

/** Dispatches of one key before a missing answer counts as a failed attempt; together they wait about a minute. */
const MAX_DISPATCHES = 10
const FIRST_WAIT_MS = 250
const MAX_WAIT_MS = 15_000

/** Runs a claimed task to its recorded outcome. Nothing is recorded once the task was given up: it is another's, or will be. */
export async function carryOut(host: Host, held: Held, runIdOf: ReturnType<typeof runIds>): Promise<void> {
  const outcome = await outcomeOf(host, held, runIdOf)
  if (outcome !== undefined && !held.abort.signal.aborted) await record(host, held, outcome)
}

async function outcomeOf(host: Host, held: Held, runIdOf: ReturnType<typeof runIds>): Promise<TaskOutcome | undefined> {
  const { task } = held
  const { signal } = held.abort
  for (let sent = 1; ; sent++) {
    try {
      held.runId ??= await runIdOf(task)
      const { runId } = held
      return await Promise.race([dispatchTask({ host, task, runId, signal }), givenUp(signal)])
    } catch (error) {
      if (signal.aborted) return undefined
      if (!leftOpen(error) || sent === MAX_DISPATCHES) return failedBy(error)
      host.log.warn({ err: error, task_id: task.id, sent }, 'no answer about a task; its key is sent again')
      await pause(sent, signal)
    }
  }
}

/** Transaction 2 of the task. A database that is away is tried again for as long as the lease may still be ours. */
async function record(host: Host, held: Held, outcome: TaskOutcome): Promise<void> {
  const { task, runId, abort } = held
  for (let tried = 1; !abort.signal.aborted; tried++) {
    try {
      await host.db.tx(taskScope(task, runId), (tx) => finishTask(tx, { task_id: task.id, fence: task.fence, outcome }))
      return
    } catch (error) {
      if (!isStoryPortalError(error)) throw error
      if (error.code !== 'UNAVAILABLE') return await refused(host, held, outcome, error)
      await pause(tried, abort.signal)
    }
  }
}

async function refused(host: Host, held: Held, outcome: TaskOutcome, error: StoryPortalError): Promise<void> {
  if (isLeaseLost(error)) {
    host.log.debug({ err: error, task_id: held.task.id }, 'the task went to another worker; its result is discarded')
    return
  }
  // An output that can't be kept, too large or not storable, is a failure of the task.
  if (outcome.status !== 'completed') throw error
  await record(host, held, failedBy(error))
}

function givenUp(signal: AbortSignal): Promise<undefined> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve(undefined)
    else signal.addEventListener('abort', () => resolve(undefined), { once: true })
  })
}

async function pause(times: number, signal: AbortSignal): Promise<void> {
  const ms = Math.min(MAX_WAIT_MS, FIRST_WAIT_MS * 2 ** (times - 1))
  await sleep(ms, undefined, { signal }).catch(() => {
    // Given up while waiting: the caller looks at the signal.
  })
}
