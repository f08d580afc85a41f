import { randomUUID } from 'node:crypto'
import type { TenantScope } from '@story-portal/shared/db'
import { type CallSpec, executeCall, type InvocationRecord, leaseOwner, submitCall } from '@story-portal/shared/engine'
import { type ErrorBody, errors, fromErrorBody } from '@story-portal/shared/errors'
import type { OpenContext } from '@story-portal/shared/mcp'
import { dispatchFor, verifierFor } from './dispatch.ts'
import { effectOf, type Work } from './work.ts'

const PROGRESS_MS = 1_000

export interface Intent {
  /** The tool of this server that was called; part of the key. */
  by: 'run_code' | 'invoke_tool' | 'compensate_invocation'
  kind: 'code' | 'tool' | 'script' | 'compensation'
  tool?: { id: string; name: string; version: string }
  concurrency?: CallSpec['concurrency'] | undefined
  arguments: unknown
  work: Work
  mode: 'wait' | 'background'
}

export type Executed = InvocationRecord & { replayed: boolean }

/** Records the intent and carries it out exactly once, here and now or by a background worker. */
export async function execute(ctx: OpenContext, intent: Intent, spec = callSpec(ctx, intent)): Promise<Executed> {
  if (intent.mode === 'background') return await ctx.db.tx((tx) => submitCall(tx, ctx.host.jobs, spec))
  const scope = scopeOf(ctx)
  const started = Date.now()
  const tick = setInterval(() => {
    ctx.progress({ progress: Math.round((Date.now() - started) / 1000), message: 'running' })
  }, PROGRESS_MS)
  try {
    const known = { tool_id: intent.tool?.id ?? null, work: intent.work, progress: ctx.progress }
    const dispatch = dispatchFor(ctx.host, scope, known)
    const owner = leaseOwner(ctx.host.boot_id)
    const verify = verifierFor(ctx.host, scope)
    return await executeCall(ctx.host.db, { ...spec, scope, dispatch, verify, owner, signal: ctx.signal })
  } finally {
    clearInterval(tick)
  }
}

export function callSpec(
  ctx: OpenContext,
  intent: Intent,
): Omit<CallSpec, 'scope' | 'dispatch' | 'verify' | 'signal' | 'owner'> {
  const { caller, idempotency_key } = ctx
  const { kind, tool, work, concurrency } = intent
  return {
    caller,
    key: `${caller.subject}/${intent.by}/${idempotency_key ?? `once/${randomUUID()}`}`,
    kind,
    ...(tool ? { tool: tool.name, tool_id: tool.id, tool_version: tool.version } : {}),
    arguments: intent.arguments,
    effect: effectOf(work),
    ...(concurrency ? { concurrency } : {}),
    lease_ms: ctx.config.engine.leaseMs,
    ...(caller.run_id === undefined ? {} : { run_id: caller.run_id }),
    ...(caller.plan_id === undefined ? {} : { plan_id: caller.plan_id }),
    ...(caller.task_id === undefined ? {} : { task_id: caller.task_id }),
  }
}

export function scopeOf({ caller, correlation_id }: OpenContext): TenantScope {
  const source = 'story-portal/tool-execution'
  return { kind: 'tenant', tenant_id: caller.tenant_id, subject: caller.subject, correlation_id, source }
}

/** The error of an invocation that did not succeed, with what its run left behind. */
export function failureOf(invocation: InvocationRecord) {
  const body = invocation.error as unknown as ErrorBody['error'] | null
  if (!body) return errors.internal()
  const { id: invocation_id, logs, usage } = invocation
  return fromErrorBody({ error: { ...body, details: { ...body.details, invocation_id, logs: logs ?? [], usage } } })
}
