import { type ClaimedTask, finishTask, parkTask } from '@story-portal/shared/engine'
import { isStoryPortalError, type StoryPortalError } from '@story-portal/shared/errors'
import type { Host } from '@story-portal/shared/mcp'
import { askAgain, pause } from './ask-again.ts'
import { type Carried, dispatchTask, taskScope } from './dispatch.ts'
import { failedBy, isLeaseLost } from './outcome.ts'
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

/** Runs a claimed task to its recorded outcome. Nothing is recorded once the task was given up: it is another's, or will be. */
export async function carryOut(host: Host, held: Held, runIdOf: ReturnType<typeof runIds>): Promise<void> {
  const outcome = await outcomeOf(host, held, runIdOf)
  if (outcome !== undefined && !held.abort.signal.aborted) await record(host, held, outcome)
}

async function outcomeOf(host: Host, held: Held, runIdOf: ReturnType<typeof runIds>): Promise<Carried | undefined> {
  const { task } = held
  const { signal } = held.abort
  const onSilence = (error: unknown, tried: number) =>
    host.log.warn({ err: error, task_id: task.id, tried }, 'no answer about a task; its key is sent again')
  const send = async () => {
    held.runId ??= await runIdOf(task)
    return await dispatchTask({ host, task, runId: held.runId, signal, onSilence })
  }
  try {
    return await Promise.race([askAgain(send, signal, onSilence), givenUp(signal)])
  } catch (error) {
    return signal.aborted ? undefined : failedBy(error)
  }
}

/** Transaction 2 of the task. A database that is away is tried again for as long as the lease may still be ours. */
async function record(host: Host, held: Held, outcome: Carried): Promise<void> {
  const { task, runId, abort } = held
  for (let tried = 1; !abort.signal.aborted; tried++) {
    try {
      const lease = { task_id: task.id, fence: task.fence }
      await host.db.tx(taskScope(task, runId), async (tx) => {
        if (outcome.status === 'parked') await parkTask(tx, lease, outcome.invocation_id)
        else await finishTask(tx, { ...lease, outcome })
      })
      return
    } catch (error) {
      if (!isStoryPortalError(error)) throw error
      if (error.code !== 'UNAVAILABLE') return await refused(host, held, outcome, error)
      await pause(tried, abort.signal)
    }
  }
}

async function refused(host: Host, held: Held, outcome: Carried, error: StoryPortalError): Promise<void> {
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
