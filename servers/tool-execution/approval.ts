import { type ApprovalRecord, parkCall } from '@story-portal/shared/engine'
import type { OpenContext } from '@story-portal/shared/mcp'
import { callSpec, type Executed, execute, type Intent } from './execute.ts'

export type Asked = Executed & { approval: ApprovalRecord }

/**
 * Parks the call until somebody has decided, and returns at once; once it is approved, the same call under the same key carries
 * it out, unless a worker did so already.
 */
export async function askFirst(ctx: OpenContext, intent: Intent): Promise<Asked> {
  const spec = callSpec(ctx, intent)
  const expires_ms = ctx.config.engine.approvalMs
  const { invocation, approval, replayed } = await ctx.db.tx((tx) => parkCall(tx, spec, { expires_ms }))
  if (approval.status !== 'approved') return { ...invocation, approval, replayed }
  // What was approved need not be what was asked for.
  const work = { ...intent.work, input: invocation.arguments }
  const approved = { ...intent, arguments: invocation.arguments, work }
  return { ...(await execute(ctx, approved, { ...spec, arguments: invocation.arguments })), approval }
}

/** What a caller is told while nobody has decided. */
export function shownApproval({ id, status, expires_at, decided_by, decided_at, note }: ApprovalRecord) {
  const next =
    status === 'pending'
      ? {
          next: 'A person decides with decide_approval on supervision; get_invocation then has the result.',
        }
      : {}
  return { id, status, expires_at, decided_by, decided_at, note, ...next }
}
