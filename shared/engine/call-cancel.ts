import { sql } from 'kysely'
import { inMs, updateRecord, updateRecords } from '../data/index.ts'
import type { Db, TenantScope, Tx } from '../db/index.ts'
import { errors, toErrorBody } from '../errors/index.ts'
import { withdrawApprovals } from './approval-state.ts'
import { callErrors } from './errors.ts'
import { unparkTask } from './park.ts'
import { runningCalls, wakeWaiters } from './running-calls.ts'
import { lockTask } from './task-rows.ts'
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

/**
 * Cancels what is open of the calls that tasks made, and of the calls of their code, in the transaction that ends the tasks or
 * their attempt: a call that somebody else holds, or that was handed back, must have no effect after it (I4).
 */
export async function cancelInvocationsOf(tx: Tx, tenantId: string, taskIds: readonly string[]): Promise<void> {
  if (taskIds.length === 0) return
  // Through calls that have ended too: code that was killed leaves its own calls open.
  const ids = sql<{ id: string }>`
    with recursive made as (
      select id, status from core.invocations
      where tenant_id = ${tenantId} and task_id = any(${[...taskIds]}::text[])
      union
      select own.id, own.status from made cross join lateral (
        select i.id, i.status from core.invocations i
        where i.tenant_id = ${tenantId} and i.parent_invocation_id = made.id offset 0
      ) own
    )
    select id from made where status in ('pending', 'running', 'pending_approval')`
  const { rows } = await ids.execute(tx)
  if (rows.length > 0)
    await cancelCalls(
      tx,
      tenantId,
      rows.map(({ id }) => id),
      'its task has ended',
    )
}

/** Cancels those of the given calls that are still open, and tells whoever dispatches them. */
export async function cancelCalls(tx: Tx, tenantId: string, ids: readonly string[], reason: string): Promise<void> {
  const { rows } = await sql<InvocationRecord>`
    select * from core.invocations
    where id = any(${[...ids]}::text[]) and status in ('pending', 'running', 'pending_approval')
    order by id for no key update`.execute(tx)
  const ours = rows.filter((row) => row.effect !== 'outside' || row.status !== 'running')
  const changes = ours.map((row) => ({ id: row.id, changes: cancelled(row) }))
  if (changes.length > 0) await updateRecords(tx, 'invocation', changes, { reason })
  await withdrawApprovals(tx, parkedOf(rows))
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
  const record = await updateRecord(tx, 'invocation', id, cancelled(row))
  await withdrawApprovals(tx, parkedOf([row]))
  if (row.kind === 'script') await cancelAwaited(tx, scope, row)
  if (row.status === 'pending_approval' && row.task_id !== null) await unparkTask(tx, await lockTask(tx, row.task_id))
  return record
}

/**
 * What a script asked people for is wanted by nobody when it is cancelled, and neither are the scripts it called that are put aside, nor
 * the calls that they and it wait with. One that is part of another run is known only by what it waits for.
 */
async function cancelAwaited(
  tx: Tx,
  { tenant_id }: TenantScope,
  { id: runId, waits_for }: InvocationRecord,
): Promise<void> {
  const { rows } = await sql<{ id: string }>`
    with aside as (
      select id from core.invocations where tenant_id = ${tenant_id} and waits_for is not null
        and ((run_id = ${runId} and status = 'pending') or (id = ${runId} and waits_for = ${waits_for}))
    )
    select invocation_id as id from core.approvals where id = ${waits_for}
    union select id from core.invocations
      where tenant_id = ${tenant_id} and run_id = ${runId} and status = 'pending_approval'
    union select id from aside
    union select i.id from core.invocations i join aside a on i.parent_invocation_id = a.id
      where i.tenant_id = ${tenant_id} and i.status = 'running'`.execute(tx)
  const ids = rows.map(({ id }) => id)
  await cancelCalls(tx, tenant_id, ids, 'the script that made it was cancelled')
}

function parkedOf(rows: readonly InvocationRecord[]): string[] {
  return rows.flatMap(({ id, status }) => (status === 'pending_approval' ? [id] : []))
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
