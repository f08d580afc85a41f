import { setTimeout as sleep } from 'node:timers/promises'
import type { Db } from '../db/index.ts'
import { isStoryPortalError, toErrorBody } from '../errors/index.ts'
import { extendCall, type Outcome } from './call-record.ts'
import { callErrors } from './errors.ts'
import { DEFAULT_LEASE_MS } from './leases.ts'
import { runningCalls } from './running-calls.ts'
import { approvalAwaited, parkScript } from './script-park.ts'
import { isSilence, leavesOpen, stopsWorker } from './silence.ts'
import type { CallSpec, Dispatch, DispatchResult, InvocationRecord, Verdict } from './types.ts'

type Stop = 'timed_out' | 'cancelled' | 'lease_lost' | 'abandoned'

/** Dispatches of a repeatable call that gets no answer, before it is handed back for others to ask; about three seconds. */
const MAX_DISPATCHES = 5
const FIRST_WAIT_MS = 200

/**
 * Dispatches a held call outside any transaction, with heartbeat, timeout and cancellation, and says how it ended. Undefined:
 * the lease was lost meanwhile, so there is nothing to record. Throws when nobody can say how the call ended, because this
 * worker stops (callErrors.abandoned) or because the callee of a repeatable call stays silent: the call is handed back unrecorded, for
 * another worker to send the same key at once. Silence is never recorded as a failure, because the effect may be there.
 */
export async function dispatchCall(db: Db, spec: CallSpec, held: InvocationRecord): Promise<Outcome | undefined> {
  const stop = new AbortController()
  const running = runningCalls(db)
  running.set(held.id, stop)
  const timers = watch(db, spec, held, stop)
  try {
    const call = {
      key: spec.key,
      fence: held.fence,
      deadline: spec.timeout_ms === undefined ? undefined : Date.now() + spec.timeout_ms,
      signal: stop.signal,
      invocation: held,
    }
    const ended = await Promise.race([attempt(spec, call), stopped(stop.signal)])
    timers.clear()
    if (ended.stop === 'lease_lost') return undefined
    const awaited = spec.kind === 'script' ? approvalAwaited(ended.error) : undefined
    if (awaited !== undefined) {
      await parkScript(db, spec.scope, held, awaited)
      return undefined
    }
    if (ended.stop === 'abandoned' || isOpen(spec, ended.error)) {
      await handBack(db, spec, held)
      throw ended.error ?? callErrors.abandoned()
    }
    return await settle(spec, ended)
  } finally {
    timers.clear()
    if (running.get(held.id) === stop) running.delete(held.id)
  }
}

/** Asks the tool whether an outside effect of an earlier holder happened. */
export async function verifyCall(spec: CallSpec): Promise<Verdict> {
  if (!spec.verify) return { state: 'unknown' }
  try {
    return await spec.verify({ key: spec.key, arguments: spec.arguments })
  } catch {
    // A receiver that can't be asked leaves the question open; it must not count as an answer.
    return { state: 'unknown' }
  }
}

/** The outcome when nobody can say whether the effect happened: it waits for a person. */
export function unknownOutcome(spec: CallSpec, cause?: unknown): Outcome {
  const error = callErrors.outcomeUnknown({}, cause === undefined ? {} : { details: { cause } })
  return { status: 'unknown', error: body(spec, error) }
}

function isOpen(spec: CallSpec, error: unknown): boolean {
  return isAbandoned(error) || (isRepeatable(spec) && leavesOpen(error))
}

/** Journaled: what it did is found under its key. Pure: it did nothing; silence is the database's, where its work is read from. */
function isRepeatable({ effect }: CallSpec): boolean {
  return effect !== 'outside'
}

function isAbandoned(error: unknown): boolean {
  return isStoryPortalError(error) && error.number === ABANDONED
}

async function handBack(db: Db, spec: CallSpec, held: InvocationRecord): Promise<void> {
  try {
    await extendCall(db, spec.scope, held, 0)
  } catch (error) {
    // The database is away: the lease ends by itself.
    if (!isStoryPortalError(error) || error.code !== 'UNAVAILABLE') throw error
  }
}

const ABANDONED = callErrors.abandoned().number

interface Ended {
  result?: DispatchResult
  error?: unknown
  stop?: Stop
}

/** A callee that stays silent is sent the same key again, where that is harmless. */
async function attempt(spec: CallSpec, call: Dispatch): Promise<Ended> {
  for (let sent = 1; ; sent++) {
    try {
      return { result: await spec.dispatch(call) }
    } catch (error) {
      const again = isRepeatable(spec) && isSilence(error) && !isAbandoned(error)
      if (!again || sent === MAX_DISPATCHES || call.signal.aborted) return { error }
    }
    await sleep(FIRST_WAIT_MS * 2 ** (sent - 1), undefined, { ref: false })
    // Whoever waited has been told already.
    if (call.signal.aborted) return {}
  }
}

async function settle(spec: CallSpec, ended: Ended): Promise<Outcome> {
  const { result } = ended
  if (result && result.error === undefined) {
    return { status: 'succeeded', output: result.output, logs: result.logs, usage: result.usage }
  }
  const certain = failure(spec, ended)
  if (spec.effect !== 'outside' || !leavesDoubt(ended)) return certain
  const verdict = await verifyCall(spec)
  if (verdict.state === 'done')
    return { status: 'succeeded', output: verdict.output, logs: result?.logs, usage: result?.usage }
  return verdict.state === 'not_done' ? certain : unknownOutcome(spec, certain.error)
}

function failure(spec: CallSpec, ended: Ended): Outcome {
  if (ended.stop === 'timed_out') {
    return { status: 'timed_out', error: body(spec, callErrors.callTimedOut({ ms: spec.timeout_ms ?? 0 })) }
  }
  if (ended.stop === 'cancelled') return { status: 'cancelled', error: body(spec, callErrors.callCancelled()) }
  return {
    status: 'failed',
    error: body(spec, ended.result?.error ?? ended.error),
    logs: ended.result?.logs,
    usage: ended.result?.usage,
  }
}

/** A coded refusal says that nothing happened; silence, a cut line and a stranger's exception do not. */
function leavesDoubt({ error, result, stop }: Ended): boolean {
  if (stop !== undefined) return true
  const thrown = result?.error ?? error
  if (!isStoryPortalError(thrown)) return true
  if (thrown.details?.['effect'] === 'none') return false
  return thrown.code === 'UNAVAILABLE' || thrown.code === 'INTERNAL'
}

function body(spec: CallSpec, error: unknown): Record<string, unknown> {
  return { ...toErrorBody(error, spec.scope.correlation_id).error }
}

function stopped(signal: AbortSignal): Promise<Ended> {
  return new Promise((resolve) => {
    const stop = () => resolve({ stop: signal.reason as Stop })
    if (signal.aborted) stop()
    else signal.addEventListener('abort', stop, { once: true })
  })
}

/** Timeout, the caller's cancellation, and the heartbeat: the lease is extended three times per length of it. */
function watch(db: Db, spec: CallSpec, held: InvocationRecord, stop: AbortController): { clear(): void } {
  const leaseMs = spec.lease_ms ?? DEFAULT_LEASE_MS
  // The signal of a task's call ends the wait for it, not the call.
  const caller = spec.task_id === undefined ? spec.signal : undefined
  const cancel = () => stop.abort((stopsWorker(caller?.reason) ? 'abandoned' : 'cancelled') satisfies Stop)
  if (caller?.aborted) cancel()
  caller?.addEventListener('abort', cancel, { once: true })
  const timeout =
    spec.timeout_ms === undefined
      ? undefined
      : setTimeout(() => stop.abort('timed_out' satisfies Stop), spec.timeout_ms)
  let lastSign = performance.now()
  const beat = async () => {
    try {
      if (!(await extendCall(db, spec.scope, held, leaseMs))) stop.abort('lease_lost' satisfies Stop)
      else lastSign = performance.now()
    } catch {
      // The database is away: the lease may have ended, so the work is given up when it must have.
      if (performance.now() - lastSign > leaseMs) stop.abort('lease_lost' satisfies Stop)
    }
  }
  const heartbeat = setInterval(() => void beat(), Math.max(50, leaseMs / 3))
  return {
    clear() {
      clearTimeout(timeout)
      clearInterval(heartbeat)
      caller?.removeEventListener('abort', cancel)
    },
  }
}
