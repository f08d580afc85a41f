import { sql } from 'kysely'
import { createRecord, hashJson, inMs, updateRecord } from '../data/index.ts'
import type { Db, TenantScope, Tx } from '../db/index.ts'
import { errors, toErrorBody } from '../errors/index.ts'
import type { Jobs } from '../jobs/index.ts'
import { type ApprovalRecord, approvalOf } from './approval-state.ts'
import { assertSameCall, createIntent, findInvocation } from './call-intent.ts'
import { CALLS_QUEUE } from './calls-queue.ts'
import { approvalErrors } from './errors.ts'
import { lockTaskOf, unparkTask } from './park.ts'
import { resumeScripts } from './script-park.ts'
import type { CallIntent, CallSpec, InvocationRecord } from './types.ts'

export interface Parked {
  invocation: InvocationRecord
  approval: ApprovalRecord
  /** False for the one call that parked it. */
  replayed: boolean
}

export interface Asked {
  expires_ms: number
  /** Why it is asked, for whoever decides. */
  reason?: string
  /** Subjects; without them anybody of the tenant may decide. */
  approvers?: readonly string[]
}

/**
 * Commits the intent of a call that a person must allow, with what is asked of that person, in one transaction: nothing is held
 * while they think. The same key and arguments again return how it stands; the arguments compared are those that were asked
 * for, also when others were approved.
 */
export async function parkCall(tx: Tx, call: CallIntent, asked: Asked): Promise<Parked> {
  const hash = hashJson(call.arguments ?? null)
  const invocation = await createIntent(tx, call, { status: 'pending_approval', arguments_hash: hash })
  if (invocation) {
    const approval = await createRecord(tx, 'approval', {
      invocation_id: invocation.id,
      tool: call.tool ?? call.kind,
      tool_version: call.tool_version ?? null,
      arguments: call.arguments ?? null,
      arguments_hash: hash,
      requested_by: call.caller.subject,
      reason: asked.reason?.slice(0, 1_000) ?? null,
      approvers: asked.approvers === undefined ? null : [...asked.approvers],
      expires_at: inMs(asked.expires_ms),
      status: 'pending',
    })
    return { invocation, approval, replayed: false }
  }
  const found = await findInvocation(tx, call.key)
  const approval = await approvalOf(tx, found.id)
  if (approval === undefined) throw errors.keyReused()
  assertSameCall({ ...found, arguments_hash: approval.arguments_hash }, call, hash)
  return { invocation: found, approval, replayed: true }
}

export interface Decision {
  decision: 'approve' | 'deny'
  /** Approved instead of what was asked for. */
  arguments?: unknown
  note?: string | undefined
  expected_version?: number | undefined
  decided_by: string
}

/**
 * Decides once, for everybody: two deciders at a time are serialised by the row, and the later one gets a conflict. An approved
 * call is handed to the workers in the same transaction, so that a decision that was acknowledged is carried out.
 */
export async function decideApproval(tx: Tx, jobs: Jobs, id: string, decision: Decision): Promise<Parked> {
  const task = await lockTaskOf(tx, id)
  const approval = await lockPending(tx, id)
  assertMayDecide(approval, decision.decided_by)
  const invocation = await findInvocation(tx, approval.invocation_id, 'id')
  const { note, decided_by, expected_version } = decision
  const decided = { decided_by, decided_at: inMs(0), note: note ?? null }
  if (decision.decision === 'deny') {
    const changed = await updateRecord(tx, 'approval', id, { ...decided, status: 'denied' }, { expected_version })
    const error = approvalErrors.denied({ tool: approval.tool, by: decided_by, why: note ?? 'without a note' })
    await unparkTask(tx, task)
    await resumeScripts(tx, jobs, id)
    return { invocation: await refuse(tx, invocation, error), approval: changed, replayed: false }
  }
  const args = 'arguments' in decision ? decision.arguments : approval.arguments
  const hash = hashJson(args ?? null)
  const changes = { ...decided, status: 'approved' as const, approved_hash: hash }
  const changed = await updateRecord(tx, 'approval', id, changes, { expected_version })
  const approved = {
    ...(hash === invocation.arguments_hash ? {} : { arguments: args ?? null, arguments_hash: hash }),
    // Nobody waits for a worker's outcome: failed, it is a dead letter.
    ...(task === undefined ? { background: true } : {}),
  }
  const isOther = Object.keys(approved).length > 0
  const ready = isOther ? await updateRecord(tx, 'invocation', invocation.id, approved) : invocation
  // A task's own worker comes back to it.
  if (task === undefined) await enqueue(tx, jobs, ready)
  else await unparkTask(tx, task)
  await resumeScripts(tx, jobs, id)
  return { invocation: ready, approval: changed, replayed: false }
}

function assertMayDecide({ approvers }: ApprovalRecord, subject: string): void {
  const named = approvers as readonly string[] | null
  if (named === null || named.includes(subject)) return
  throw approvalErrors.notApprover({ subject, approvers: named.join(', ') })
}

/** What a question to a person came to, for the call that asked it. */
export function approvalAnswer(db: Db, scope: TenantScope): CallSpec['dispatch'] {
  return async ({ invocation }) => {
    const approval = await db.tx(scope, (tx) => approvalOf(tx, invocation.id), { readOnly: true })
    if (approval === undefined) throw errors.internal()
    const { decided_by, decided_at, note } = approval
    return { output: { approved: true, decided_by, decided_at, note, answer: invocation.arguments } }
  }
}

/** Ends an approval whose time is over, and with it its call. False when somebody was faster. */
export async function expireApproval(db: Db, scope: TenantScope, id: string): Promise<boolean> {
  return await db.tx(scope, async (tx) => {
    const task = await lockTaskOf(tx, id)
    const { rows } = await sql<ApprovalRecord>`
      select * from core.approvals where id = ${id} and status = 'pending' and expires_at <= core.now()
      for no key update`.execute(tx)
    const [approval] = rows
    if (approval === undefined) return false
    await updateRecord(tx, 'approval', id, { status: 'expired', decided_at: inMs(0) })
    const invocation = await findInvocation(tx, approval.invocation_id, 'id')
    await refuse(tx, invocation, approvalErrors.expired({ tool: approval.tool }))
    await unparkTask(tx, task)
    return true
  })
}

/** Hands an approved call to the workers; a job that is there already stays the only one. */
async function enqueue(tx: Tx, jobs: Jobs, { tenant_id, id }: InvocationRecord): Promise<void> {
  await jobs.enqueue(tx, CALLS_QUEUE, { tenant_id, invocation_id: id }, { singleton_key: id })
}

async function lockPending(tx: Tx, id: string): Promise<ApprovalRecord> {
  const { rows } = await sql<ApprovalRecord & { over: boolean }>`
    select a.*, a.expires_at <= core.now() as over from core.approvals a
    where id = ${id} and deleted_at is null for no key update`.execute(tx)
  const [row] = rows
  if (row === undefined) throw errors.notFound({ kind: 'approval', id }, { hint: 'list_approvals shows what waits.' })
  const { over, ...approval } = row
  if (approval.status !== 'pending') {
    const { status, decided_by, decided_at, note } = approval
    throw approvalErrors.decided(
      { status, by: decided_by ?? 'the platform' },
      { details: { status, decided_by, decided_at, note } },
    )
  }
  if (over) throw approvalErrors.expired({ tool: approval.tool })
  return approval
}

async function refuse(tx: Tx, invocation: InvocationRecord, error: Error): Promise<InvocationRecord> {
  if (invocation.status !== 'pending_approval') return invocation
  const { error: body } = toErrorBody(error)
  return await updateRecord(tx, 'invocation', invocation.id, {
    status: 'denied',
    error: { ...body },
    finished_at: inMs(0),
  })
}
