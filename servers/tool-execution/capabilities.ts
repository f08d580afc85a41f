import type { Caller } from '@story-portal/shared/auth'
import type { TenantScope, Tx } from '@story-portal/shared/db'
import {
  attemptKey,
  type CallSpec,
  calleeKey,
  type Dispatch,
  type DispatchResult,
  executeCall,
  type InvocationRecord,
  leaseOwner,
  leavesOpen,
  stepOf,
} from '@story-portal/shared/engine'
import { type ErrorBody, errors, fromErrorBody, isStoryPortalError } from '@story-portal/shared/errors'
import type { Host } from '@story-portal/shared/mcp'
import { type Answers, markOf } from './answers.ts'
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
  answers: Answers
}

/**
 * Answers `tools.<server>.<tool>(args)` of running code: granted or denied, then called as the run's caller cut to the grant,
 * journaled under the attempt and the index of the call. A repeated run gets what is recorded there, and E3031 when it calls
 * something else. The next attempt at a task gets what succeeded at that index where it makes the same call and that changes
 * something; what only reads is read anew, what failed is tried again, and another call is simply made.
 */
export function capabilities(run: CapabilityRun): (call: HostCall) => Promise<unknown> {
  const caller = narrowed(run)
  return async (call) => {
    const ref = toolRef(call.name)
    if (!isGranted(run.grants, ref)) throw denied(run, call, ref)
    const record = await answered(run, caller, call, ref)
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

/** The call's record, once it is its turn to be answered. */
async function answered(run: CapabilityRun, caller: Caller, call: HostCall, ref: ToolRef): Promise<InvocationRecord> {
  const { answers } = run
  const key = keyOf(run.call.invocation, call.index)
  await answers.turn(key)
  const marked: Marked = { mark: undefined }
  try {
    const record = await journaled(run, caller, { ...call, key, ref, marked })
    await marked.mark?.before
    call.answered_at = markOf(record)?.at
    return record
  } finally {
    marked.mark?.told()
    answers.replayed(key)
  }
}

/** Set when the dispatch has an outcome, which is then recorded with it. */
interface Marked {
  mark: ReturnType<Answers['mark']> | undefined
}

interface JournaledCall extends HostCall {
  key: string
  ref: ToolRef
  marked: Marked
}

function keyOf(invocation: InvocationRecord, index: number): string {
  const step = stepOf(invocation)
  return step === undefined ? `${invocation.id}/${index}` : attemptKey(`${step.key}/calls/${index}`, step.attempt)
}

async function journaled(run: CapabilityRun, caller: Caller, call: JournaledCall) {
  const { host, scope, answers } = run
  const { invocation } = run.call
  const { key, ref, marked } = call
  const dispatch = callServerTool(host, scope, { name: nameOf(ref), args: call.args, caller })
  try {
    return await executeCall(host.db, {
      scope,
      caller,
      key,
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
      async dispatch(sent) {
        const outcome = await outcomeOf(dispatch(sent))
        // Dispatched again after its lease was lost: nobody waits for the first outcome any more.
        marked.mark?.told()
        marked.mark = answers.mark()
        const { order, at } = marked.mark
        return { ...outcome, usage: { answer: { order, at } } }
      },
    })
  } catch (error) {
    throw isStoryPortalError(error) && error.number === 'E0015' ? diverged(call) : error
  }
}

/** Carries out a journaled call of one of our tools: under the same key as often as it takes, whoever does, over all attempts. */
export function callServerTool(
  host: Host,
  scope: TenantScope,
  { name, args, caller }: { name: string; args: unknown; caller: Caller },
): CallSpec['dispatch'] {
  const { server, tool } = toolRef(name)
  return async ({ invocation, signal }) => {
    const earlier = await earlierAnswer(host, scope, invocation, caller)
    if (earlier) return earlier
    const key = calleeKey(invocation)
    const correlation = scope.correlation_id === undefined ? {} : { correlation_id: scope.correlation_id }
    return { output: await host.call(server, tool, args, { caller, idempotency_key: key, signal, ...correlation }) }
  }
}

/** What an earlier attempt got for this very call at this index. Not for reads: the next attempt is to see how things are now. */
async function earlierAnswer(host: Host, scope: TenantScope, invocation: InvocationRecord, caller: Caller) {
  const step = stepOf(invocation)
  if (step === undefined || step.attempt === 1 || (await onlyReads(host, caller, invocation.tool ?? '')))
    return undefined
  const keys = Array.from({ length: step.attempt - 1 }, (_, i) => attemptKey(step.key, i + 1))
  const query = (tx: Tx) =>
    tx
      .selectFrom('core.invocations')
      .select('output')
      .where('call_key', 'in', keys)
      .where('tool', '=', invocation.tool)
      .where('arguments_hash', '=', invocation.arguments_hash)
      .where('status', '=', 'succeeded')
      .executeTakeFirst()
  return await host.db.tx(scope, query, { readOnly: true })
}

/** Also of a tool that another process hosts. */
async function onlyReads(host: Host, caller: Caller, name: string): Promise<boolean> {
  const { server, tool } = toolRef(name)
  const known = await host.definitions(server, caller)
  return known.find((definition) => definition.name === tool)?.annotations.readOnlyHint === true
}

/** A refusal is an answer like any other; silence is none, and is thrown on. */
async function outcomeOf(dispatched: ReturnType<CallSpec['dispatch']>): Promise<DispatchResult> {
  try {
    return await dispatched
  } catch (error) {
    if (leavesOpen(error) || !isStoryPortalError(error)) throw error
    return { error }
  }
}

function diverged(call: HostCall) {
  return faults.divergence({ index: call.index, call: call.name })
}
