import { sql } from 'kysely'
import type { Tx } from '../db/index.ts'
import { leaseEnd } from './lease-extensions.ts'
import type { InvocationRecord } from './types.ts'

export interface Places {
  /** Whether a call may run now: a recorded one before those that came after it, one without a record after all that wait. */
  free(waiting?: InvocationRecord): Promise<boolean>
}

/**
 * Locks the places of one concurrency key until the transaction ends, so that two calls never take the last one. A place is held by a call that runs under a
 * living lease; one whose worker died is free again, and a call that waits keeps its turn.
 */
export async function lockPlaces(tx: Tx, { key, limit }: { key: string; limit: number }): Promise<Places> {
  await sql`select pg_advisory_xact_lock(hashtextextended('places ' || current_setting('app.tenant') || ' ' || ${key}, 0))`.execute(
    tx,
  )
  return {
    async free(waiting) {
      const earlier =
        waiting === undefined ? sql`true` : sql`(created_at, id) < (${waiting.created_at}::timestamptz, ${waiting.id})`
      // One that has begun goes before all that have not.
      const ahead = waiting?.status === 'running' ? sql`false` : earlier
      const others = sql`tenant_id = current_setting('app.tenant') and concurrency_key = ${key} and id <> ${waiting?.id ?? ''}`
      const { rows } = await sql<{ taken: number }>`
        select ((
          select count(*) from core.invocations where ${others} and status in ('pending', 'running')
            and ((status = 'pending' and ${ahead}) or (status = 'running' and ${leaseEnd('invocations')} > core.now()))
        ) + (
          select count(*) from core.invocations where ${others} and status = 'pending_approval' and ${ahead} and ${ALLOWED}
        ))::int as taken`.execute(tx)
      return (rows[0]?.taken ?? 0) < limit
    },
  }
}

/** Whoever a person has allowed waits for a place like all others. */
const ALLOWED = sql`exists (select from core.approvals a where a.tenant_id = invocations.tenant_id
  and a.invocation_id = invocations.id and a.status = 'approved')`

/** What those in this process wait for who wait for a place of this key. */
export function placeOf({ key }: { key: string }): string {
  return `places/${key}`
}
