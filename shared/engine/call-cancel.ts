import { sql } from 'kysely'
import { inMs, updateRecord, updateRecords } from '../data/index.ts'
import type { Db, TenantScope, Tx } from '../db/index.ts'
import { errors, toErrorBody } from '../errors/index.ts'
import { callErrors } from './errors.ts'
import { runningCalls, wakeWaiters } from './running-calls.ts'
import type { InvocationRecord } from './types.ts'
import { wake } from './wake.ts'

/**
 * Cancels one call that has not ended: the record says so at once, its lease is fenced off, and the process that dispatches it
 * stops. An outside effect under way can't be taken back: it is only asked to stop, and records how it ended.
 */
export async function cancelCall(db: Db, scope: TenantScope, invocationId: string): Promise<InvocationRecord> {
  const record = await db.tx(scope, (tx) => cancelInTransaction(tx, scope, invocationId))
  runningCalls(db).get(invocationId)?.abort('cancelled')
  wakeWaiters(db, invocationId)
  return record
}

/** Cancels the calls that cancelled tasks were dispatching, in the transaction that cancelled the tasks. */
export async function cancelInvocationsOf(
  tx: Tx,
  tenantId: string,
  tasks: readonly { id: string; status: string }[],
): Promise<void> {
  const running = tasks.filter(({ status }) => status === 'running').map(({ id }) => id)
  if (running.length === 0) return
  const { rows } = await sql<InvocationRecord>`
    select * from core.invocations
    where task_id = any(${running}::text[]) and status in ('pending', 'running', 'pending_approval')
    order by id for no key update`.execute(tx)
  const ours = rows.filter((row) => row.effect !== 'outside' || row.status !== 'running')
  await updateRecords(
    tx,
    'invocation',
    ours.map((row) => ({ id: row.id, changes: cancelled(row) })),
    { reason: 'its task was cancelled' },
  )
  if (rows.length > 0)
    await wake(tx, { what: 'cancel', tenant_id: tenantId, ids: rows.map(({ id }) => id).slice(0, 100) })
}

async function cancelInTransaction(tx: Tx, scope: TenantScope, id: string): Promise<InvocationRecord> {
  const { rows } = await sql<InvocationRecord>`
    select * from core.invocations where id = ${id} and deleted_at is null for no key update`.execute(tx)
  const [row] = rows
  if (row === undefined) throw errors.notFound({ kind: 'invocation', id }, { hint: 'List ids with list_invocations.' })
  if (!['pending', 'running', 'pending_approval'].includes(row.status)) {
    throw callErrors.notInProgress({ status: row.status }, { details: { status: row.status } })
  }
  await wake(tx, { what: 'cancel', tenant_id: scope.tenant_id, ids: [id] })
  if (row.effect === 'outside' && row.status === 'running') return row
  return await updateRecord(tx, 'invocation', id, cancelled(row))
}

function cancelled(row: InvocationRecord) {
  return {
    status: 'cancelled' as const,
    error: { ...toErrorBody(callErrors.callCancelled()).error },
    fence: row.fence + 1,
    lease_owner: null,
    lease_token: null,
    lease_expires_at: null,
    finished_at: inMs(0),
  }
}
