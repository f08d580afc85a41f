import { sql } from 'kysely'
import { createRecord, type InsertOf, inMs, updateRecord } from '../data/index.ts'
import type { Db, Tx } from '../db/index.ts'
import { errors, isStoryPortalError } from '../errors/index.ts'
import { mayDispatch } from './approval-state.ts'
import { leaseEnd } from './lease-extensions.ts'
import { DEFAULT_LEASE_MS, newLeaseToken, processOwner } from './leases.ts'
import { lockPlaces } from './places.ts'
import { waitsStill } from './script-park.ts'
import { assertTaskLease } from './task-lease.ts'
import type { CallIntent, CallSpec, InvocationRecord } from './types.ts'

/** What the intent transaction found or did. `taken` says that an earlier holder may have dispatched already. */
export type Intent =
  | { state: 'finished' | 'busy' | 'queued' | 'parked'; invocation: InvocationRecord }
  | { state: 'held'; invocation: InvocationRecord; taken: boolean }

/**
 * Transaction 1 of an exactly-once call: commits the intent under its key and takes the lease, or takes over a lease that has
 * ended by the database's clock (fence + 1), or reports what is there. Throws keyReused for another call under the key (I5),
 * and leaseLost for a call on behalf of a task that the caller does not hold any more (I4).
 */
export async function openIntent(db: Db, spec: CallSpec, hash: string): Promise<Intent> {
  return await db.tx(spec.scope, async (tx) => {
    await assertTaskLease(tx, spec.caller)
    const places = spec.concurrency && (await lockPlaces(tx, spec.concurrency))
    const first = { status: 'running', fence: 1, started_at: inMs(0), ...leaseColumns(spec) } as const
    const state = (await places?.free()) === false ? ({ status: 'pending' } as const) : first
    const created = await createIntent(tx, spec, { ...state, arguments_hash: hash })
    if (created && state !== first) return { state: 'queued', invocation: created }
    if (created) return { state: 'held', invocation: created, taken: false }
    const found = await findInvocation(tx, spec.key)
    assertSameCall(found, spec, hash)
    const open = await openState(tx, found)
    if (open === 'finished' || open === 'busy' || open === 'parked') return { state: open, invocation: found }
    if ((await places?.free(found)) === false) return { state: 'queued', invocation: found }
    return await hold(tx, spec, found, open === 'taken')
  })
}

/** What a recorded call waits for: nothing (it may be held), the end of somebody's lease or a decision, or nothing any more. */
async function openState(tx: Tx, found: InvocationRecord): Promise<'free' | 'taken' | 'busy' | 'parked' | 'finished'> {
  if (found.status === 'pending') return (await waitsStill(tx, found)) ? 'parked' : 'free'
  if (found.status === 'pending_approval') return (await mayDispatch(tx, found)) ? 'free' : 'busy'
  if (found.status !== 'running') return 'finished'
  return (await isLeaseOver(tx, found)) ? 'taken' : 'busy'
}

/** One key is one call: of the same tool, whatever its version, with the same arguments. */
export function assertSameCall(found: InvocationRecord, call: CallIntent, hash: string): void {
  const same = found.arguments_hash === hash && found.kind === call.kind && found.tool === (call.tool ?? null)
  if (!same) throw errors.keyReused()
}

/** The columns of a lease that begins now, by the database's clock. */
function leaseColumns(spec: CallSpec) {
  return {
    lease_owner: spec.owner ?? processOwner,
    lease_token: newLeaseToken(),
    lease_expires_at: inMs(spec.lease_ms ?? DEFAULT_LEASE_MS),
    deadline_at: spec.timeout_ms === undefined ? null : inMs(spec.timeout_ms),
  }
}

/** A recorded call, locked, by its key or id; the row was there a statement ago. */
export async function findInvocation(
  tx: Tx,
  value: string,
  by: 'call_key' | 'id' = 'call_key',
): Promise<InvocationRecord> {
  const { rows } = await sql<InvocationRecord>`
    select * from core.invocations where ${sql.ref(by)} = ${value} for no key update`.execute(tx)
  const [row] = rows
  if (row === undefined) throw errors.unavailable({ what: 'The record of this call' })
  return row
}

/** Of a locked call, and read only under that lock: its holder may have extended the lease until then. */
async function isLeaseOver(tx: Tx, { id }: InvocationRecord): Promise<boolean> {
  const { rows } = await sql<{ over: boolean }>`
    select coalesce(${leaseEnd('invocations')} <= core.now(), true) as over from core.invocations where id = ${id}`.execute(
    tx,
  )
  return rows[0]?.over ?? false
}

/**
 * Writes an intent in a first state; undefined when its key is taken. A new key costs one statement; a second caller of it waits
 * inside the insert for the first one's commit.
 */
export async function createIntent(
  tx: Tx,
  call: CallIntent,
  state: Partial<InsertOf<'invocation'>> & Pick<InvocationRecord, 'status' | 'arguments_hash'>,
): Promise<InvocationRecord | undefined> {
  try {
    return await createRecord(tx, 'invocation', { ...intentColumns(call, state.arguments_hash), ...state })
  } catch (error) {
    if (isStoryPortalError(error) && error.code === 'CONFLICT') return undefined
    throw error
  }
}

/** The columns of an intent that say what is to be done, without who does it. */
function intentColumns(spec: CallIntent, hash: string) {
  return {
    call_key: spec.key,
    kind: spec.kind,
    tool: spec.tool ?? null,
    tool_id: spec.tool_id ?? null,
    tool_version: spec.tool_version ?? null,
    run_id: spec.run_id ?? null,
    plan_id: spec.plan_id ?? null,
    task_id: spec.task_id ?? null,
    parent_invocation_id: spec.parent_invocation_id ?? null,
    attempt: spec.attempt ?? 1,
    concurrency_key: spec.concurrency?.key ?? null,
    concurrency_limit: spec.concurrency?.limit ?? null,
    retry_of: spec.retry_of ?? null,
    arguments: spec.arguments ?? null,
    arguments_hash: hash,
    effect: spec.effect,
    subject: spec.caller.subject,
    caller: { ...spec.caller },
  }
}

async function hold(tx: Tx, spec: CallSpec, found: InvocationRecord, taken: boolean): Promise<Intent> {
  const invocation = await updateRecord(tx, 'invocation', found.id, {
    status: 'running',
    fence: found.fence + 1,
    ...leaseColumns(spec),
    // With the fence of the task's present worker, which the calls of running code have to prove.
    caller: { ...spec.caller },
    started_at: found.started_at ?? inMs(0),
    waits_for: null,
  })
  return { state: 'held', invocation, taken }
}
