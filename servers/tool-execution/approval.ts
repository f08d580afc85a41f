import { type ApprovalRecord, type InvocationRecord, parkCall } from '@story-portal/shared/engine'
import type { OpenContext } from '@story-portal/shared/mcp'
import { callSpec, type Executed, execute, type Intent } from './execute.ts'
import { visibleText } from './upstreams/suspicion.ts'

export type Asked = Executed & { approval: ApprovalRecord }

const SHOWN = 1_000

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

/** What a caller is told; while nobody has decided, also what a person is to be asked and how the outcome is had. */
export function shownApproval(approval: ApprovalRecord, invocation: Pick<InvocationRecord, 'call_key'>) {
  const { id, status, expires_at, decided_by, decided_at, note } = approval
  const shown = { id, status, expires_at, decided_by, decided_at, note }
  return status === 'pending' ? { ...shown, ...waiting(approval, invocation) } : shown
}

function waiting(approval: ApprovalRecord, { call_key }: Pick<InvocationRecord, 'call_key'>) {
  return {
    question: questionOf(approval),
    ...keyOf(call_key),
    next: 'A person decides with decide_approval on supervision; the same call under this idempotency_key, or get_invocation, then has the result.',
  }
}

/** In one line, with nothing in it that cannot be seen. */
export function questionOf({ tool, tool_version, arguments: args, reason }: ApprovalRecord): string {
  const what = `${tool}${tool_version === null ? '' : ` ${tool_version}`} with ${JSON.stringify(args)}`
  const text = visibleText(reason === null ? what : `${reason} ${what}`).replace(/\s+/g, ' ')
  return text.length > SHOWN ? `${text.slice(0, SHOWN)}...` : text
}

/** The key under which the same call is asked for again: its own, without caller and tool (callSpec). A retry has none. */
export function keyOf(callKey: string): { idempotency_key?: string } {
  const key = /\/(?:invoke_tool|run_code)\/(.+)$/s.exec(callKey)?.[1]
  return key === undefined ? {} : { idempotency_key: key }
}
