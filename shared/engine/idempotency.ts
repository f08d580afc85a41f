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

async function recorded<T>(tx: Tx, { tool, key, args_hash, subject }: IdempotentCall): Promise<T> {
  const { rows } = await sql<{ args_hash: string; result: T }>`
    select args_hash, result from core.idempotency_keys
    where tenant_id = current_setting('app.tenant') and subject = ${subject} and tool = ${tool} and key = ${key}`.execute(
    tx,
  )
  const [row] = rows
  // The row was there a statement ago: only maintenance, after 30 days, removes one.
  if (row === undefined) throw errors.unavailable({ what: 'The record of this idempotency_key' })
  if (row.args_hash !== args_hash) throw errors.keyReused()
  return row.result
}
