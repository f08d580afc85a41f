import { sql } from 'kysely'
import { updateRecord } from '../data/index.ts'
import type { Db, TenantScope, Tx } from '../db/index.ts'
import { isStoryPortalError } from '../errors/index.ts'
import type { Jobs } from '../jobs/index.ts'
import { CALLS_QUEUE } from './calls-queue.ts'
import { callErrors } from './errors.ts'
import { extendInvocation } from './lease-extensions.ts'
import type { InvocationRecord } from './types.ts'

const WAITS = callErrors.waitsForApproval({ approval: '' }).number

/** The approval that a call of this script's code waits for; undefined for any other error. */
export function approvalAwaited(error: unknown): string | undefined {
  if (!isStoryPortalError(error) || error.number !== WAITS) return undefined
  return error.details?.['approval_id'] as string
}

/**
 * Puts a script aside until the approval is decided: nobody holds it, and then it runs again over the answers it has. Where the decision was faster, it
 * is handed back at once.
 */
export async function parkScript(
  db: Db,
  scope: TenantScope,
  held: InvocationRecord,
  approvalId: string,
): Promise<void> {
  await db.tx(scope, async (tx) => {
    // The decision locks the approval too: it comes wholly before this, or finds the script waiting.
    const { rows } = await sql<{ status: string }>`
      select status from core.approvals where id = ${approvalId} for share`.execute(tx)
    const still = await extendInvocation(tx, held, 0)
    if (!still || rows[0]?.status !== 'pending') return
    const free = { lease_owner: null, lease_token: null, lease_expires_at: null }
    await updateRecord(tx, 'invocation', held.id, {
      ...free,
      ...{ status: 'pending', waits_for: approvalId },
      // It goes on by a worker, for nobody who waits.
      background: true,
    })
  })
}

/** Whether what the script waits for is still undecided. */
export async function waitsStill(tx: Tx, { waits_for }: InvocationRecord): Promise<boolean> {
  if (waits_for === null) return false
  const { rows } = await sql`select from core.approvals where id = ${waits_for} and status = 'pending'`.execute(tx)
  return rows.length > 0
}

/** Hands the scripts that waited for an approval to the workers. */
export async function resumeScripts(tx: Tx, jobs: Jobs, approvalId: string): Promise<void> {
  const { rows } = await sql<{ tenant_id: string; id: string }>`
    select tenant_id, id from core.invocations where waits_for = ${approvalId} and status = 'pending'`.execute(tx)
  for (const { tenant_id, id } of rows)
    await jobs.enqueue(tx, CALLS_QUEUE, { tenant_id, invocation_id: id }, { singleton_key: id })
}
