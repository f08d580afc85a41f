import { hashJson } from '../data/index.ts'
import type { Db, TenantScope, Tx } from '../db/index.ts'
import { isStoryPortalError } from '../errors/index.ts'
import type { Jobs, Worker } from '../jobs/index.ts'
import { approvalOf } from './approval-state.ts'
import { assertSameCall, createIntent, findInvocation } from './call-intent.ts'
import { writeLost } from './call-record.ts'
import { executeCall } from './calls.ts'
import { type BackgroundCall, CALLS_QUEUE } from './calls-queue.ts'
import { callErrors } from './errors.ts'
import type { CallEffect, CallIntent, CallResult, CallSpec, InvocationRecord } from './types.ts'

/**
 * Commits the intent of a call and the job that will run it in the caller's transaction, and returns at once. The same key with
 * the same arguments returns what is there (`replayed: true`); for another call it throws keyReused.
 */
export async function submitCall(tx: Tx, jobs: Jobs, call: CallIntent): Promise<CallResult> {
  const hash = hashJson(call.arguments ?? null)
  const created = await createIntent(tx, call, { status: 'pending', background: true, arguments_hash: hash })
  if (created) {
    const job = { tenant_id: created.tenant_id, invocation_id: created.id }
    // The reconciler's key for it too: while this job waits, the look for lost ones adds no second.
    await jobs.enqueue(tx, CALLS_QUEUE, job, { singleton_key: created.id })
    return { ...created, replayed: false }
  }
  const found = await findInvocation(tx, call.key)
  assertSameCall(found, call, hash)
  return { ...found, replayed: true }
}

/** What a worker must know to run a recorded call again: how to dispatch it, and its limits. */
export type Prepared = Pick<CallSpec, 'dispatch'> & Partial<Pick<CallSpec, 'verify' | 'timeout_ms' | 'lease_ms'>>

export interface WorkCallsOptions {
  owner: string
  concurrency?: number
  /** Undefined: this call can't be dispatched from its record (any more); it is then settled as lost. */
  prepare(invocation: InvocationRecord, scope: TenantScope): Promise<Prepared | undefined>
}

/** Runs submitted calls, and those whose worker was lost, until stopped. */
export async function workCalls(db: Db, jobs: Jobs, options: WorkCallsOptions): Promise<Worker> {
  const { concurrency = 2 } = options
  return await jobs.work(CALLS_QUEUE, ({ data, signal }) => runCall({ db, jobs, ...options }, data, signal), {
    concurrency,
  })
}

async function runCall(options: WorkCallsOptions & { db: Db; jobs: Jobs }, job: BackgroundCall, signal: AbortSignal) {
  const { db, jobs } = options
  const reader = { kind: 'tenant', tenant_id: job.tenant_id, subject: 'service:engine' } as const
  const invocation = await db.tx(reader, (tx) => findInvocation(tx, job.invocation_id, 'id'))
  const parked = invocation.status === 'pending_approval'
  if (!parked && invocation.status !== 'pending' && invocation.status !== 'running') return
  // The reconciler may have asked for it before the decision; the decision asks again.
  if (parked && (await db.tx(reader, (tx) => approvalOf(tx, invocation.id)))?.status !== 'approved') return
  const scope: TenantScope = { ...reader, subject: invocation.subject ?? reader.subject, source: 'story-portal/engine' }
  const prepared = await options.prepare(invocation, scope)
  if (!prepared) {
    await writeLost(db, scope, invocation)
    return
  }
  const how = { ...prepared, scope, owner: options.owner, signal: whenStopping(signal), leave_queue: true }
  try {
    await executeCall(db, { ...intentOf(invocation), ...how })
  } catch (error) {
    if (!isStoryPortalError(error) || error.number !== NO_PLACE) throw error
    // Its worker is free for other calls meanwhile.
    await db.tx(scope, (tx) =>
      jobs.enqueue(tx, CALLS_QUEUE, job, { singleton_key: invocation.id, delay_seconds: PLACE_SECONDS }),
    )
  }
}

const NO_PLACE = callErrors.noPlace().number
/** Until a call that found no place looks again. */
const PLACE_SECONDS = 1

/** A job is broken off because its process stops or its time is over, never because somebody cancelled the call: it is handed back. */
function whenStopping(signal: AbortSignal): AbortSignal {
  const stop = new AbortController()
  const abandon = () => stop.abort(callErrors.abandoned())
  if (signal.aborted) abandon()
  else signal.addEventListener('abort', abandon, { once: true })
  return stop.signal
}

/** The intent as its record keeps it. */
function intentOf(invocation: InvocationRecord): CallIntent {
  const optional = {
    tool: invocation.tool,
    tool_id: invocation.tool_id,
    tool_version: invocation.tool_version,
    run_id: invocation.run_id,
    plan_id: invocation.plan_id,
    task_id: invocation.task_id,
    parent_invocation_id: invocation.parent_invocation_id,
    retry_of: invocation.retry_of,
  }
  return {
    caller: invocation.caller as unknown as CallIntent['caller'],
    key: invocation.call_key,
    kind: invocation.kind,
    arguments: invocation.arguments,
    effect: invocation.effect as CallEffect,
    attempt: invocation.attempt,
    ...concurrencyOf(invocation),
    ...Object.fromEntries(Object.entries(optional).filter(([, value]) => value !== null)),
  }
}

function concurrencyOf({ concurrency_key: key, concurrency_limit: limit }: InvocationRecord) {
  return key === null || limit === null ? {} : { concurrency: { key, limit } }
}
