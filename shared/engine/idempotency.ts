import { sql } from 'kysely'
import type { Tx } from '../db/index.ts'
import { errors } from '../errors/index.ts'
import { storableJson } from '../events/index.ts'

export interface IdempotentCall {
  tool: string
  key: string
  args_hash: string
  subject: string
}

/**
 * Runs `fn` once per tenant, subject, tool and key: its result is kept in the same transaction as its effect and given to every
 * later call (`replayed: true`). A concurrent second call waits on the row. Other arguments under the key: E0015. An error in
 * `fn` rolls the key back with the rest, so the call may be repeated.
 */
export async function withIdempotency<T>(
  tx: Tx,
  call: IdempotentCall,
  fn: () => Promise<T>,
): Promise<{ result: T; replayed: boolean }> {
  const { tool, key, args_hash, subject } = call
  const taken = await sql`
    insert into core.idempotency_keys (tenant_id, subject, tool, key, args_hash)
    values (current_setting('app.tenant'), ${subject}, ${tool}, ${key}, ${args_hash})
    on conflict do nothing returning 1 as taken`.execute(tx)
  if (taken.rows.length === 0) return { result: await recorded<T>(tx, call), replayed: true }
  const result = await fn()
  await sql`
    update core.idempotency_keys set result = ${storableJson(result ?? null, 'result')}::jsonb
    where tenant_id = current_setting('app.tenant') and subject = ${subject} and tool = ${tool} and key = ${key}`.execute(
    tx,
  )
  return { result, replayed: false }
}

/**
 * Forgets keys after 30 days, the oldest first, at most `limit` at once. Those of a plan's tasks are kept as long as the plan has
 * not ended: what they stand for must not be done again by a task that waited for months. They are looked at again in 30 days.
 */
export async function forgetOldKeys(tx: Tx, limit: number): Promise<void> {
  await sql`
    with old as materialized (
      select k.tenant_id, k.subject, k.tool, k.key, k.key like 'task/%' and exists (
        select from core.tasks t join core.plan_progress p on p.tenant_id = t.tenant_id and p.plan_id = t.plan_id
        where t.tenant_id = k.tenant_id and t.id = split_part(k.key, '/', 2) and p.phase <> 'ended'
      ) as bound
      from core.idempotency_keys k where k.created_at < core.now() - interval '30 days'
      order by k.created_at limit ${limit} for update of k skip locked
    ), kept as (
      update core.idempotency_keys k set created_at = core.now() from old
      where old.bound and (k.tenant_id, k.subject, k.tool, k.key) = (old.tenant_id, old.subject, old.tool, old.key)
    )
    delete from core.idempotency_keys k using old
    where not old.bound and (k.tenant_id, k.subject, k.tool, k.key) = (old.tenant_id, old.subject, old.tool, old.key)
  `.execute(tx)
}

async function recorded<T>(tx: Tx, { tool, key, args_hash, subject }: IdempotentCall): Promise<T> {
  const { rows } = await sql<{ args_hash: string; result: T }>`
    select args_hash, result from core.idempotency_keys
    where tenant_id = current_setting('app.tenant') and subject = ${subject} and tool = ${tool} and key = ${key}`.execute(
    tx,
  )
  const [row] = rows
  // The row was there a statement ago: only forgetOldKeys removes one.
  if (row === undefined) throw errors.unavailable({ what: 'The record of this idempotency_key' })
  if (row.args_hash !== args_hash) throw errors.keyReused()
  return row.result
}
