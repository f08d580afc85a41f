import { assertOutsideTransaction, type Db } from '../db/index.ts'
import { isStoryPortalError, toErrorBody } from '../errors/index.ts'
import { hashJson } from '../events/index.ts'
import { cancelCall } from './call-cancel.ts'
import { dispatchCall, unknownOutcome, verifyCall } from './call-dispatch.ts'
import { type Intent, openIntent } from './call-intent.ts'
import { extendCall, type Outcome, recordOutcome, writeOutcome } from './call-record.ts'
import { callErrors } from './errors.ts'
import { DEFAULT_LEASE_MS } from './leases.ts'
import { placeOf } from './places.ts'
import { waitForCall, wakeWaiters } from './running-calls.ts'
import { stopsWorker } from './silence.ts'
import type { CallResult, CallSpec, InvocationRecord } from './types.ts'

const FIRST_LOOK_MS = 50
const LAST_LOOK_MS = 1_000

/**
 * Runs one effect under one key, exactly once: the intent is committed before the dispatch, the result after it, and every
 * caller of the key gets that one result (`replayed: true` for all but the one that recorded it). The record tells how it
 * ended (`status`, `output`, `error`); thrown are only: keyReused for other arguments under the key, UNAVAILABLE when the
 * database is away, and stillRunning when `timeout_ms` or `signal` ends the wait for another worker.
 */
export async function executeCall(db: Db, spec: CallSpec): Promise<CallResult> {
  assertOutsideTransaction('executeCall')
  const hash = hashJson(spec.arguments ?? null)
  const giveUp = spec.timeout_ms === undefined ? Number.POSITIVE_INFINITY : performance.now() + spec.timeout_ms
  for (let look = FIRST_LOOK_MS; ; look = Math.min(look * 2, LAST_LOOK_MS)) {
    const intent = await openIntent(db, spec, hash)
    if (intent.state === 'finished') return { ...(await settleUnknown(db, spec, intent.invocation)), replayed: true }
    if (intent.state === 'parked') return { ...intent.invocation, replayed: false }
    if (intent.state === 'held') {
      const recorded = await waited(spec, carryOut(db, spec, intent.invocation, intent.taken))
      if (spec.concurrency) wakeWaiters(db, placeOf(spec.concurrency))
      if (recorded) return { ...recorded, replayed: false }
      // Fenced off: whoever took the call over records it, and that is the result here too.
      continue
    }
    await waitFor(db, spec, intent, { ms: Math.min(look, giveUp - performance.now()) })
  }
}

/** Waits a while for another holder, a decision or a place; throws when the caller's patience is over. */
async function waitFor(db: Db, spec: CallSpec, { state, invocation }: Intent, { ms }: { ms: number }): Promise<void> {
  const queued = state === 'queued'
  if (queued && spec.leave_queue) throw callErrors.noPlace()
  if (spec.signal?.aborted || ms <= 0) {
    if (queued) await leaveQueue(db, spec, invocation)
    throw callErrors.stillRunning()
  }
  await waitForCall(db, queued && spec.concurrency ? placeOf(spec.concurrency) : invocation.id, ms, spec.signal)
}

async function carryOut(
  db: Db,
  spec: CallSpec,
  held: InvocationRecord,
  taken: boolean,
): Promise<InvocationRecord | undefined> {
  const outcome =
    taken && spec.effect === 'outside' ? await afterTakeover(db, spec, held) : await dispatchCall(db, spec, held)
  if (!outcome) return undefined
  const recorded = await record(db, spec, held, outcome)
  wakeWaiters(db, held.id)
  return recorded
}

/** Whoever leaves before it began does not want it any more, as with a call that runs; a worker that stops leaves it to the next. */
async function leaveQueue(db: Db, spec: CallSpec, { id }: InvocationRecord): Promise<void> {
  if (spec.task_id !== undefined || !spec.signal?.aborted || stopsWorker(spec.signal.reason)) return
  try {
    await cancelCall(db, spec.scope, id)
  } catch (error) {
    // It has begun or ended meanwhile.
    if (!isStoryPortalError(error) || error.code !== 'CONFLICT') throw error
  }
}

/** An answer that the database can't hold (U+0000, half a surrogate pair) is a failure too, and must not stay unrecorded. */
async function record(db: Db, spec: CallSpec, held: InvocationRecord, outcome: Outcome) {
  const patience = spec.lease_ms ?? DEFAULT_LEASE_MS
  try {
    return await recordOutcome(db, spec.scope, held, outcome, patience)
  } catch (error) {
    if (!isStoryPortalError(error) || error.code !== 'INVALID_INPUT') throw error
    return await recordOutcome(
      db,
      spec.scope,
      held,
      { status: 'failed', error: { ...toErrorBody(error).error } },
      patience,
    )
  }
}

/**
 * A task's call outlives the wait for it: when the line to its worker breaks or that process drains, the call runs on and the
 * task's next worker gets its result under the same key. Only `cancelCall` cancels it; any other call ends with its caller.
 */
function waited<T>(spec: CallSpec, work: Promise<T>): Promise<T> {
  const { signal } = spec
  if (spec.task_id === undefined || signal === undefined) return work
  return new Promise((resolve, reject) => {
    const giveUp = () => reject(callErrors.stillRunning())
    if (signal.aborted) giveUp()
    signal.addEventListener('abort', giveUp, { once: true })
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', giveUp))
  })
}

/** An earlier holder may have sent it: the receiver is asked first, and doubt never becomes a second send. */
async function afterTakeover(db: Db, spec: CallSpec, held: InvocationRecord) {
  const verdict = await verifyCall(spec)
  if (verdict.state === 'done') return { status: 'succeeded' as const, output: verdict.output }
  if (verdict.state === 'unknown') return unknownOutcome(spec)
  // Asking may have taken longer than the lease, and then another holder has asked too: only one of them may send.
  const still = await extendCall(db, spec.scope, held, spec.lease_ms ?? DEFAULT_LEASE_MS)
  return still ? await dispatchCall(db, spec, held) : undefined
}

/** An outcome that was unknown is asked for again at every repeat of the call. */
async function settleUnknown(db: Db, spec: CallSpec, invocation: InvocationRecord): Promise<InvocationRecord> {
  if (invocation.status !== 'unknown' || !spec.verify) return invocation
  const verdict = await verifyCall(spec)
  if (verdict.state === 'unknown') return invocation
  const outcome =
    verdict.state === 'done'
      ? { status: 'succeeded' as const, output: verdict.output }
      : { status: 'failed' as const, error: invocation.error as Outcome['error'] }
  return (await writeOutcome(db, spec.scope, invocation, outcome)) ?? invocation
}
