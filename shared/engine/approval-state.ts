import { sql } from 'kysely'
import { inMs, type RecordOf, updateRecords } from '../data/index.ts'
import type { Tx } from '../db/index.ts'
import { errors } from '../errors/index.ts'
import type { InvocationRecord } from './types.ts'

export type ApprovalRecord = RecordOf<'approval'>

/** Whether a parked call may be dispatched now. Throws where what was approved is not what would be dispatched: no way leads there. */
export async function mayDispatch(tx: Tx, invocation: InvocationRecord): Promise<boolean> {
  const approval = await approvalOf(tx, invocation.id)
  if (approval?.status !== 'approved') return false
  if (approval.approved_hash !== invocation.arguments_hash) throw errors.internal()
  return true
}

export async function approvalOf(tx: Tx, invocationId: string): Promise<ApprovalRecord | undefined> {
  const { rows } = await sql<ApprovalRecord>`
    select * from core.approvals where invocation_id = ${invocationId} and deleted_at is null`.execute(tx)
  return rows[0]
}

/** What is asked of a person about calls that are cancelled need not be answered any more. */
export async function withdrawApprovals(tx: Tx, invocationIds: readonly string[]): Promise<void> {
  const { rows } = await sql<{ id: string }>`
    select id from core.approvals where invocation_id = any(${[...invocationIds]}::text[]) and status = 'pending'
    order by id for no key update`.execute(tx)
  const updates = rows.map(({ id }) => ({ id, changes: { status: 'cancelled' as const, decided_at: inMs(0) } }))
  if (updates.length > 0) await updateRecords(tx, 'approval', updates, { reason: 'its call was cancelled' })
}
