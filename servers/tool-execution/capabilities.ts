import type { Caller } from '@story-portal/shared/auth'
import type { TenantScope } from '@story-portal/shared/db'
import { type CallSpec, calleeKey, type Dispatch, executeCall, leaseOwner, stepOf } from '@story-portal/shared/engine'
import { type ErrorBody, errors, fromErrorBody, isStoryPortalError } from '@story-portal/shared/errors'
import type { Host } from '@story-portal/shared/mcp'
import { faults } from './errors.ts'
import { isGranted, narrowScopes, type ToolRef, toolRef } from './grants.ts'
import type { HostCall } from './sandbox/sandbox.ts'

export interface CapabilityRun {
  host: Host
  scope: TenantScope
  /** The invocation whose code calls, and who it runs as. */
  call: Dispatch
  caller: Caller
  grants: readonly string[]
}

/**
 * Answers `tools.<server>.<tool>(args)` of running code: granted or denied, then called as the run's caller cut to the grant,
 * journaled under the run's step and the index of the call. A repeated run, and the next attempt at a task, gets what succeeded
 * before, and E3031 when it calls something else than what succeeded at that index; what failed before is tried again.
 */
export function capabilities(run: CapabilityRun): (call: HostCall) => Promise<unknown> {
  const caller = narrowed(run)
  return async (call) => {
    const ref = toolRef(call.name)
    if (!isGranted(run.grants, ref)) throw denied(run, call, ref)
    const record = await journaled(run, caller, call, ref)
    if (record.tool !== nameOf(ref)) throw diverged(call)
    if (record.status === 'succeeded') return record.output
    throw record.error ? fromErrorBody({ error: record.error as unknown as ErrorBody['error'] }) : errors.internal()
  }
}

const nameOf = ({ server, tool }: ToolRef): string => `${server}.${tool}`

function narrowed({ host, caller, grants, call }: CapabilityRun): Caller {
  const effectOf = ({ server, tool }: ToolRef) => host.servers.get(server)?.tool(tool)?.effect
  return {
    ...caller,
    scopes: narrowScopes(caller.scopes, grants, effectOf),
    run_id: caller.run_id ?? call.invocation.id,
    depth: (caller.depth ?? 0) + 1,
  }
}

function denied(run: CapabilityRun, call: HostCall, ref: ToolRef) {
  const { subject, tenant_id } = run.caller
  run.host.log.warn({ subject, tenant_id, tool: nameOf(ref), invocation: run.call.invocation.id }, 'capability denied')
  return faults.capabilityDenied({ call: call.name, permission: nameOf(ref) })
}

async function journaled(run: CapabilityRun, caller: Caller, call: HostCall, ref: ToolRef) {
  const { host, scope } = run
  const { invocation } = run.call
  try {
    return await executeCall(host.db, {
      scope,
      caller,
      key: await journalKey(run, call),
      kind: 'server_tool',
      tool: nameOf(ref),
      arguments: call.args,
      // Every tool of ours commits its effect together with the key it is given.
      effect: 'journaled',
      parent_invocation_id: invocation.id,
      attempt: stepOf(invocation)?.attempt ?? 1,
      ...(invocation.run_id === null ? {} : { run_id: invocation.run_id }),
      lease_ms: host.config.engine.leaseMs,
      owner: leaseOwner(host.boot_id),
      signal: AbortSignal.any([call.signal, run.call.signal]),
      dispatch: callServerTool(host, scope, { name: nameOf(ref), args: call.args, caller }),
    })
  } catch (error) {
    throw isStoryPortalError(error) && error.number === 'E0015' ? diverged(call) : error
  }
}

/**
 * The key that a call is journaled under: of the step and the index, then the attempt. An earlier attempt's call at this index
 * that succeeded, or whose outcome nobody knows yet, is this call too; only one that failed is made anew,
 * and one that only reads: the next attempt is to see how things are now.
 */
async function journalKey({ host, scope, call: { invocation } }: CapabilityRun, { index, name }: HostCall) {
  const step = stepOf(invocation)
  if (step === undefined) return `${invocation.id}/${index}`
  const keyOf = (attempt: number) => `${step.key}/calls/${index}/${attempt}`
  const { server, tool } = toolRef(name)
  const reads = host.servers.get(server)?.tool(tool)?.effect === 'read'
  if (step.attempt === 1 || reads) return keyOf(step.attempt)
  const earlier = Array.from({ length: step.attempt - 1 }, (_, i) => keyOf(i + 1))
  const found = await host.db.tx(
    scope,
    (tx) =>
      tx
        .selectFrom('core.invocations')
        .select('call_key')
        .where('call_key', 'in', earlier)
        .where('status', 'not in', ['failed', 'timed_out', 'cancelled', 'denied'])
        .executeTakeFirst(),
    { readOnly: true },
  )
  return found?.call_key ?? keyOf(step.attempt)
}

/** Carries out a journaled call of one of our tools: under the same key as often as it takes, whoever does. */
export function callServerTool(
  host: Host,
  scope: TenantScope,
  { name, args, caller }: { name: string; args: unknown; caller: Caller },
): CallSpec['dispatch'] {
  const { server, tool } = toolRef(name)
  return async ({ invocation, signal }) => {
    const key = calleeKey(invocation)
    const correlation = scope.correlation_id === undefined ? {} : { correlation_id: scope.correlation_id }
    return { output: await host.call(server, tool, args, { caller, idempotency_key: key, signal, ...correlation }) }
  }
}

function diverged(call: HostCall) {
  return faults.divergence({ index: call.index, call: call.name })
}
