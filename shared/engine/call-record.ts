import { sql } from 'kysely'
import { updateRecord } from '../data/index.ts'
import { type Db, notify, type TenantScope } from '../db/index.ts'
import { isStoryPortalError } from '../errors/index.ts'
import type { InvocationRecord } from './types.ts'

/** How a dispatch ended, ready to be written. */
export interface Outcome {
  status: 'succeeded' | 'failed' | 'timed_out' | 'cancelled' | 'unknown'
  output?: unknown
  error?: unknown
  logs?: unknown
  usage?: unknown
}

export const ENGINE_CHANNEL = 'engine'

/**
 * Transaction 2: writes the outcome where id, fence and status still match. Undefined means fenced off: another worker has the
 * call, and nothing was written (I4). An unreachable database is tried again as long as the lease may live: the effect has happened.
 */
export async function recordOutcome(
  db: Db,
  scope: TenantScope,
  held: Pick<InvocationRecord, 'id' | 'fence'>,
  outcome: Outcome,
  patienceMs: number,
): Promise<InvocationRecord | undefined> {
  const giveUp = performance.now() + patienceMs
  for (let wait = 50; ; wait = Math.min(wait * 2, 1_000)) {
    try {
      return await writeOutcome(db, scope, held, outcome, 'running')
    } catch (error) {
      const mayPass = isStoryPortalError(error) && error.code === 'UNAVAILABLE'
      if (!mayPass || performance.now() + wait > giveUp) throw error
    }
    await new Promise((resolve) => setTimeout(resolve, wait))
  }
}

/** As `recordOutcome`, once, from a given status: a call that was `unknown` is settled the same way. */
export async function writeOutcome(
  db: Db,
  scope: TenantScope,
  held: Pick<InvocationRecord, 'id' | 'fence'>,
  outcome: Outcome,
  from: 'running' | 'unknown',
): Promise<InvocationRecord | undefined> {
  return await db.tx(scope, async (tx) => {
    const row = await tx
      .selectFrom('core.invocations')
      .select(sql<string>`core.now()::timestamptz(3)`.as('now'))
      .where('id', '=', held.id)
      .where('fence', '=', held.fence)
      .where('status', '=', from)
      .forUpdate()
      .executeTakeFirst()
    if (!row) return undefined
    const record = await updateRecord(tx, 'invocation', held.id, {
      status: outcome.status,
      output: outcome.output ?? null,
      error: outcome.error ?? null,
      logs: outcome.logs ?? null,
      usage: outcome.usage ?? null,
      lease_owner: null,
      lease_token: null,
      lease_expires_at: null,
      finished_at: row.now,
    })
    await notify(tx, ENGINE_CHANNEL, JSON.stringify({ what: 'call', tenant_id: scope.tenant_id, id: held.id }))
    return record
  })
}

/** Extends the lease; false when it is lost: another fence, or no longer running. */
export async function extendCall(
  db: Db,
  scope: TenantScope,
  held: Pick<InvocationRecord, 'id' | 'fence'>,
  leaseMs: number,
): Promise<boolean> {
  return await db.tx(scope, async (tx) => {
    const row = await tx
      .selectFrom('core.invocations')
      .select(
        sql<string>`(core.now() + make_interval(secs => ${leaseMs / 1000}::double precision))::timestamptz(3)`.as(
          'until',
        ),
      )
      .where('id', '=', held.id)
      .where('fence', '=', held.fence)
      .where('status', '=', 'running')
      .forUpdate()
      .executeTakeFirst()
    if (!row) return false
    await updateRecord(tx, 'invocation', held.id, { lease_expires_at: row.until })
    return true
  })
}
