import { sql } from 'kysely'
import { inMs, updateKnown, updateRecord } from '../data/index.ts'
import type { Db, TenantScope, Tx } from '../db/index.ts'
import { errors, isStoryPortalError, toErrorBody } from '../errors/index.ts'
import { callErrors } from './errors.ts'
import { extendInvocation } from './lease-extensions.ts'
import type { InvocationRecord } from './types.ts'

/** How a dispatch ended, ready to be written. */
export interface Outcome {
  status: 'succeeded' | 'failed' | 'timed_out' | 'cancelled' | 'unknown'
  output?: unknown
  error?: Record<string, unknown> | null | undefined
  logs?: unknown
  usage?: Record<string, unknown> | undefined
}

/**
 * Transaction 2: writes the outcome where id, fence and status still match. Undefined means fenced off: another worker has the
 * call, and nothing was written (I4). An unreachable database is tried again as long as the lease may live: the effect has happened.
 */
export async function recordOutcome(
  db: Db,
  scope: TenantScope,
  held: InvocationRecord,
  outcome: Outcome,
  patienceMs: number,
): Promise<InvocationRecord | undefined> {
  const giveUp = performance.now() + patienceMs
  for (let wait = 50; ; wait = Math.min(wait * 2, 1_000)) {
    try {
      return await writeOutcome(db, scope, held, outcome)
    } catch (error) {
      const mayPass = isStoryPortalError(error) && error.code === 'UNAVAILABLE'
      if (!mayPass || performance.now() + wait > giveUp) throw error
    }
    await new Promise((resolve) => setTimeout(resolve, wait))
  }
}

/**
 * As `recordOutcome`, once: a call that was `unknown` is settled the same way. The version that the holder saw last proves id,
 * fence and status in the update's own lock: nothing but an end or another holder raises it.
 */
export async function writeOutcome(
  db: Db,
  scope: TenantScope,
  held: InvocationRecord,
  outcome: Outcome,
): Promise<InvocationRecord | undefined> {
  const changes = { ...NO_LEASE, ...outcomeColumns(outcome), finished_at: inMs(0) }
  try {
    return await db.tx(scope, (tx) => updateKnown(tx, 'invocation', held, changes))
  } catch (error) {
    if (!isStoryPortalError(error) || error.number !== VERSION_CONFLICT) throw error
    return undefined
  }
}

const VERSION_CONFLICT = 'E0012'

/** Ends a call that nobody can dispatch any more: without effect where that is certain, else as unknown, for a person. */
export async function writeLost(db: Db, scope: TenantScope, call: InvocationRecord): Promise<void> {
  const certain = call.effect !== 'outside' || call.status === 'pending'
  const error = certain ? errors.unavailable({ what: 'The worker of this call' }) : callErrors.outcomeUnknown()
  const status = certain ? 'failed' : 'unknown'
  await db.tx(scope, async (tx) => {
    const held = call
    if (call.status === 'pending') {
      if (!(await lockHeld(tx, held, 'pending'))) return
      await updateRecord(tx, 'invocation', call.id, { status: 'running' })
    } else if (!(await lockHeld(tx, held, 'running'))) return
    const columns = outcomeColumns({ status, error: { ...toErrorBody(error).error } })
    await updateRecord(tx, 'invocation', call.id, {
      ...NO_LEASE,
      ...columns,
      fence: call.fence + 1,
      finished_at: inMs(0),
    })
  })
}

/** Extends the lease; false when it is lost: another fence, or no longer running. */
export async function extendCall(db: Db, scope: TenantScope, held: Held, leaseMs: number): Promise<boolean> {
  return await db.tx(scope, (tx) => extendInvocation(tx, held, leaseMs))
}

const NO_LEASE = { lease_owner: null, lease_token: null, lease_expires_at: null }

type Held = Pick<InvocationRecord, 'id' | 'fence'>

function outcomeColumns({ status, output, error, logs, usage }: Outcome) {
  return { status, output: output ?? null, error: error ?? null, logs: logs ?? null, usage: usage ?? null }
}

async function lockHeld(tx: Tx, held: Held, status: string): Promise<boolean> {
  const { rows } = await sql`
    select 1 from core.invocations
    where id = ${held.id} and fence = ${held.fence} and status = ${status} for no key update`.execute(tx)
  return rows.length === 1
}
