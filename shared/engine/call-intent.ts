import { sql } from 'kysely'
import { createRecord, updateRecord } from '../data/index.ts'
import type { Db, Tx } from '../db/index.ts'
import { errors } from '../errors/index.ts'
import { DEFAULT_LEASE_MS, newLeaseToken, processOwner } from './leases.ts'
import type { CallSpec, InvocationRecord } from './types.ts'

/** What the intent transaction found or did. `taken` says that an earlier holder may have dispatched already. */
export type Intent =
  | { state: 'finished' | 'busy'; invocation: InvocationRecord }
  | { state: 'held'; invocation: InvocationRecord; taken: boolean }

/**
 * Transaction 1 of an exactly-once call: commits the intent under its key and takes the lease, or takes over a lease that has
 * ended by the database's clock (fence + 1), or reports what is there. Throws keyReused for other arguments under the key (I5).
 */
export async function openIntent(db: Db, spec: CallSpec, hash: string): Promise<Intent> {
  return await db.tx(spec.scope, async (tx) => {
    const found = (await findByKey(tx, spec.key)) ?? (await createUnderLock(tx, spec, hash))
    if ('created' in found) return { state: 'held', invocation: found.created, taken: false }
    if (found.arguments_hash !== hash) throw errors.keyReused()
    if (found.status === 'pending') return await hold(tx, spec, found, false)
    if (found.status !== 'running') {
      return { state: found.status === 'pending_approval' ? 'busy' : 'finished', invocation: found }
    }
    return found.lease_over ? await hold(tx, spec, found, true) : { state: 'busy', invocation: found }
  })
}

/** The columns of a lease that begins now. */
export async function leaseColumns(tx: Tx, leaseMs: number, timeoutMs: number | undefined) {
  const { rows } = await sql<{ now: string; lease_expires_at: string; deadline_at: string | null }>`
    select core.now()::timestamptz(3) as now,
      (core.now() + make_interval(secs => ${leaseMs / 1000}::double precision))::timestamptz(3) as lease_expires_at,
      (core.now() + make_interval(secs => ${timeoutMs === undefined ? null : timeoutMs / 1000}::double precision))::timestamptz(3)
        as deadline_at`.execute(tx)
  const [row] = rows
  if (row === undefined) throw errors.internal()
  return { now: row.now, lease_expires_at: row.lease_expires_at, deadline_at: row.deadline_at }
}

type Found = InvocationRecord & { lease_over: boolean }

async function findByKey(tx: Tx, key: string): Promise<Found | undefined> {
  return (await tx
    .selectFrom('core.invocations')
    .selectAll()
    .select(sql<boolean>`coalesce(lease_expires_at <= core.now(), true)`.as('lease_over'))
    .where('call_key', '=', key)
    .forUpdate()
    .executeTakeFirst()) as Found | undefined
}

/** Two callers of a new key meet here: the second waits for the first's commit and then finds its row. */
async function createUnderLock(tx: Tx, spec: CallSpec, hash: string): Promise<Found | { created: InvocationRecord }> {
  const lock = `${spec.scope.tenant_id} ${spec.key}`
  await sql`select pg_advisory_xact_lock(hashtextextended(${lock}, 0))`.execute(tx)
  const found = await findByKey(tx, spec.key)
  if (found) return found
  const { now, ...lease } = await leaseColumns(tx, spec.lease_ms ?? DEFAULT_LEASE_MS, spec.timeout_ms)
  const created = await createRecord(tx, 'invocation', {
    ...intentColumns(spec, hash),
    status: 'running',
    fence: 1,
    lease_owner: spec.owner ?? processOwner,
    lease_token: newLeaseToken(),
    ...lease,
    started_at: now,
  })
  return { created }
}

/** The columns of an intent that say what is to be done, without who does it. */
export function intentColumns(spec: Omit<CallSpec, 'scope' | 'dispatch' | 'verify'>, hash: string) {
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
    arguments: spec.arguments ?? null,
    arguments_hash: hash,
    effect: spec.effect,
    subject: spec.caller.subject,
    caller: spec.caller,
  }
}

async function hold(tx: Tx, spec: CallSpec, found: Found, taken: boolean): Promise<Intent> {
  const { now, ...lease } = await leaseColumns(tx, spec.lease_ms ?? DEFAULT_LEASE_MS, spec.timeout_ms)
  const invocation = await updateRecord(tx, 'invocation', found.id, {
    status: 'running',
    fence: found.fence + 1,
    lease_owner: spec.owner ?? processOwner,
    lease_token: newLeaseToken(),
    ...lease,
    started_at: found.started_at ?? now,
  })
  return { state: 'held', invocation, taken }
}
