import type { Caller } from '@story-portal/shared/auth'
import type { TenantScope, Tx } from '@story-portal/shared/db'
import {
  argumentsHash,
  attemptKey,
  type CallEffect,
  type CallSpec,
  callErrors,
  calleeKey,
  type Dispatch,
  type DispatchResult,
  executeCall,
  type InvocationRecord,
  leaseOwner,
  leavesOpen,
  stepOf,
  untilDecided,
  type Verdict,
} from '@story-portal/shared/engine'
import { type ErrorBody, errors, fromErrorBody, isStoryPortalError } from '@story-portal/shared/errors'
import { recordEvent } from '@story-portal/shared/events'
import type { Host } from '@story-portal/shared/mcp'
import { type Answers, markOf } from './answers.ts'
import {
  type Capability,
  type CapabilityUse,
  capabilityNamed,
  type Question,
  receiverKey,
} from './capabilities/index.ts'
import { faults } from './errors.ts'
import { type Grants, isGranted, narrowScopes, type ToolRef, toolRef } from './grants.ts'
import type { HostCall } from './sandbox/sandbox.ts'

export interface CapabilityRun {
  host: Host
  scope: TenantScope
  /** The invocation whose code calls, and who it runs as. */
  call: Dispatch
  caller: Caller
  grants: Grants
  /** Name of the registered tool whose code it is. */
  tool?: string | undefined
  answers: Answers
  /** Asks the tool's own code what became of a request whose answer was lost. */
  verify?: ((use: CapabilityUse, question: Question) => Promise<Verdict>) | undefined
}

/** What a call of code comes down to. */
interface Target {
  kind: 'server_tool' | 'capability'
  /** As recorded. */
  tool: string
  args: unknown
  effect: CallEffect
  dispatch: CallSpec['dispatch']
  verify?: CallSpec['verify']
}

/**
 * Answers the calls of running code, `tools.<server>.<tool>(args)` and capabilities: granted or denied, then carried out as the run's caller
 * cut to the grant, journaled under the attempt and the index of the call. A repeated run gets what is recorded there, and E3031 when it calls
 * something else. The next attempt at a task gets what succeeded at that index where it makes the same call and that changes
 * something; what only reads is read anew, what failed is tried again, and another call is simply made.
 */
export function capabilities(run: CapabilityRun): (call: HostCall) => Promise<unknown> {
  const caller = narrowed(run)
  return async (call) => {
    try {
      const record = await answered(run, caller, { ...call, target: targetOf(run, caller, call) }, call)
      if (record.status === 'succeeded') return record.output
      throw record.error ? fromErrorBody({ error: record.error as unknown as ErrorBody['error'] }) : errors.internal()
    } catch (error) {
      if (isStoryPortalError(error) && error.code === 'DENIED') await recordDenial(run, call, error.number)
      throw error
    }
  }
}

/** Throws when it is not granted. */
function targetOf(run: CapabilityRun, caller: Caller, call: HostCall): Target {
  const capability = capabilityNamed(call.name)
  if (capability) return capabilityTarget(run, capability, call)
  const ref = toolRef(call.name)
  const name = nameOf(ref)
  if (!isGranted(run.grants.tools, ref)) throw faults.capabilityDenied({ call: call.name, permission: name })
  const called = callServerTool(run.host, run.scope, { name, args: call.args, caller })
  const dispatch = run.call.invocation.kind === 'script' ? untilDecided(name, called) : called
  // Every tool of ours commits its effect together with the key it is given.
  return { kind: 'server_tool', tool: name, args: call.args, effect: 'journaled', dispatch }
}

function capabilityTarget(run: CapabilityRun, capability: Capability, call: HostCall): Target {
  const { host, scope, grants, tool } = run
  const use: CapabilityUse = { host, scope, grants, tool }
  const args = capability.parse(call.args)
  capability.permit(use, args)
  const effect = capability.effectOf(args)
  const recorded = { kind: 'capability', tool: `@${capability.name}`, args: call.args, effect } as const
  if (effect !== 'outside')
    return { ...recorded, dispatch: async (sent) => ({ output: await capability.run(use, args, sent) }) }
  const { verify } = run
  const ask = async ({ key }: { key: string }): Promise<Verdict> => {
    const called = { call_key: key, tool: recorded.tool, arguments_hash: argumentsHash(call.args) }
    return verify ? await verify(use, { key: receiverKey(called), request: call.args }) : { state: 'unknown' }
  }
  return {
    ...recorded,
    verify: ask,
    async dispatch(sent) {
      const earlier = await earlierEffect(host, scope, sent.invocation, () => ask(sent))
      return earlier ?? { output: await capability.run(use, args, sent) }
    },
  }
}

const nameOf = ({ server, tool }: ToolRef): string => `${server}.${tool}`

function narrowed({ host, caller, grants, call }: CapabilityRun): Caller {
  const effectOf = ({ server, tool }: ToolRef) => host.servers.get(server)?.tool(tool)?.effect
  return {
    ...caller,
    scopes: narrowScopes(caller.scopes, grants.tools, effectOf),
    run_id: caller.run_id ?? call.invocation.id,
    depth: (caller.depth ?? 0) + 1,
  }
}

/** In the log of events, beside the invocation: what code tried and was not allowed. */
async function recordDenial({ host, scope, call, tool }: CapabilityRun, { name, index }: HostCall, number: string) {
  const data = { invocation_id: call.invocation.id, index, call: name, number, ...(tool === undefined ? {} : { tool }) }
  await host.db.tx(scope, async (tx) => {
    recordEvent(tx, { stream: `denials/${call.invocation.id}`, type: 'capability.denied', data })
  })
}

/** The call's record, once it is its turn to be answered. */
async function answered(
  run: CapabilityRun,
  caller: Caller,
  call: TargetedCall,
  told: HostCall,
): Promise<InvocationRecord> {
  const { answers } = run
  const key = keyOf(run.call.invocation, call.index)
  await answers.turn(key)
  const marked: Marked = { mark: undefined }
  try {
    const record = await journaled(run, caller, { ...call, key, marked })
    await marked.mark?.before
    told.answered_at = markOf(record)?.at
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

interface TargetedCall extends HostCall {
  target: Target
}

interface JournaledCall extends TargetedCall {
  key: string
  marked: Marked
}

function keyOf(invocation: InvocationRecord, index: number): string {
  const step = stepOf(invocation)
  return step === undefined ? `${invocation.id}/${index}` : attemptKey(`${step.key}/calls/${index}`, step.attempt)
}

async function journaled(run: CapabilityRun, caller: Caller, call: JournaledCall) {
  const { host, scope, answers } = run
  const { invocation } = run.call
  const { key, marked } = call
  const { kind, tool, args, effect, dispatch, verify } = call.target
  try {
    return await executeCall(host.db, {
      scope,
      caller,
      key,
      kind,
      tool,
      arguments: args,
      effect,
      parent_invocation_id: invocation.id,
      attempt: stepOf(invocation)?.attempt ?? 1,
      ...(invocation.run_id === null ? {} : { run_id: invocation.run_id }),
      lease_ms: host.config.engine.leaseMs,
      owner: leaseOwner(host.boot_id),
      signal: AbortSignal.any([call.signal, run.call.signal]),
      ...(verify ? { verify } : {}),
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
    if (earlier) return { output: earlier.output }
    const key = calleeKey(invocation)
    const correlation = scope.correlation_id === undefined ? {} : { correlation_id: scope.correlation_id }
    return { output: await host.call(server, tool, args, { caller, idempotency_key: key, signal, ...correlation }) }
  }
}

/** What an earlier attempt got for this very call at this index. Not for reads: the next attempt is to see how things are now. */
async function earlierAnswer(host: Host, scope: TenantScope, invocation: InvocationRecord, caller: Caller) {
  if ((stepOf(invocation)?.attempt ?? 1) === 1 || (await onlyReads(host, caller, invocation.tool ?? '')))
    return undefined
  return (await earlierCalls(host, scope, invocation)).find(({ status }) => status === 'succeeded')
}

/** The same call at the same index in the attempts before this one. */
async function earlierCalls(host: Host, scope: TenantScope, invocation: InvocationRecord) {
  const step = stepOf(invocation)
  if (step === undefined || step.attempt === 1) return []
  const keys = Array.from({ length: step.attempt - 1 }, (_, i) => attemptKey(step.key, i + 1))
  const query = (tx: Tx) =>
    tx
      .selectFrom('core.invocations')
      .select(['status', 'output'])
      .where('call_key', 'in', keys)
      .where('tool', '=', invocation.tool)
      .where('arguments_hash', '=', invocation.arguments_hash)
      .execute()
  return await host.db.tx(scope, query, { readOnly: true })
}

/** What an earlier attempt at a task did outside with this very call: its answer, or the doubt about it, which no attempt may end by sending again. */
async function earlierEffect(
  host: Host,
  scope: TenantScope,
  invocation: InvocationRecord,
  ask: () => Promise<Verdict>,
): Promise<DispatchResult | undefined> {
  const rows = await earlierCalls(host, scope, invocation)
  const done = rows.find(({ status }) => status === 'succeeded')
  if (done) return { output: done.output }
  if (rows.every(({ status }) => status === 'failed')) return undefined
  const verdict = await ask()
  if (verdict.state === 'unknown') throw callErrors.outcomeUnknown()
  return verdict.state === 'done' ? { output: verdict.output } : undefined
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
