import type { Caller } from '@story-portal/shared/auth'
import { getRecord } from '@story-portal/shared/data'
import type { TenantScope } from '@story-portal/shared/db'
import {
  approvalAnswer,
  approvalAwaited,
  attemptKey,
  type ClaimedTask,
  calleeKey,
  executeCall,
  leaseOwner,
  parkCall,
  runsCode,
  type TaskOutcome,
  untilDecided,
} from '@story-portal/shared/engine'
import type { Host } from '@story-portal/shared/mcp'
import { runtimeErrors } from '../errors.ts'
import { failedWith } from './outcome.ts'

/** Longest a task may take that names no timeout_ms; the sandbox has its own, shorter limit. */
const DEFAULT_TIMEOUT_MS = 600_000

/** The callee enforces the task's timeout and says so in its own words; only after this much more the wait ends without them. */
const GRACE_MS = 5_000

export interface Dispatch {
  host: Host
  task: ClaimedTask
  runId: string | undefined
  /** Ends the wait and not the call: whoever holds the task then gets the call's one result under the same key. */
  signal: AbortSignal
  /** Told when a call got no answer about the work and is sent again. */
  onSilence(error: unknown, tried: number): void
}

/** How a task came out, or that a person has to decide about its call first. */
export type Carried = TaskOutcome | { status: 'parked'; invocation_id: string }

/** Carries out one claimed task as one exactly-once call; rejects when the answer says nothing about the work. */
export function dispatchTask(dispatch: Dispatch): Promise<Carried> {
  const { kind, spec } = dispatch.task
  if (kind === 'code') return runCode(dispatch)
  if (kind === 'approval') return askPerson(dispatch)
  const named = /^([a-z][a-z0-9_-]*)\.([a-z][a-z0-9_]*)$/.exec(String(spec['tool']))
  if (named) return callServerTool(dispatch, named[1]?.replaceAll('_', '-') ?? '', named[2] ?? '')
  return invokeTool(dispatch)
}

/** On whose behalf records of this task are written. */
export function taskScope(task: ClaimedTask, runId: string | undefined): TenantScope {
  return {
    kind: 'tenant',
    tenant_id: task.tenant_id,
    subject: task.caller.subject,
    source: 'story-portal/runtime',
    // One id for everything that happens for a run, so that list_events can tell its whole story.
    correlation_id: runId ?? task.plan_id,
  }
}

async function runCode(dispatch: Dispatch): Promise<TaskOutcome> {
  const { task } = dispatch
  const { code, language, permissions } = task.spec
  const args = defined({ code, language, input: task.input, permissions, limits: limitsOf(task) })
  const { result } = await call(dispatch, 'tool-execution', 'run_code', args, keyOf(task))
  return { status: 'completed', output: result ?? null }
}

async function invokeTool(dispatch: Dispatch): Promise<Carried> {
  const { task } = dispatch
  const { tool, tool_version } = task.spec
  // The version that was chosen when the plan was made, not the one that its range stands for today.
  const args = defined({ tool, version: tool_version, arguments: task.input ?? {}, timeout_ms: task.timeout_ms })
  const { invocation } = await call(dispatch, 'tool-execution', 'invoke_tool', args, keyOf(task))
  return outcomeOf(invocation as InvocationView)
}

/** A question is parked like a call that needs consent; once it is answered, the answer is what the task came to. */
async function askPerson(dispatch: Dispatch): Promise<Carried> {
  const { host, task, runId, signal } = dispatch
  const scope = taskScope(task, runId)
  const { approvers, prompt, instructions } = task.spec as Question
  const asked = {
    caller: callerOf(dispatch),
    key: keyOf(task),
    kind: 'approval' as const,
    arguments: task.input ?? {},
    effect: 'pure' as const,
    ...provenance(dispatch),
  }
  const reason = prompt ?? instructions ?? task.name ?? task.key
  const expires_ms = task.timeout_ms ?? host.config.engine.approvalMs
  const { approval, invocation } = await host.db.tx(scope, (tx) =>
    parkCall(tx, asked, { expires_ms, reason, ...(approvers === undefined ? {} : { approvers }) }),
  )
  if (approval.status === 'pending') return { status: 'parked', invocation_id: invocation.id }
  if (approval.status !== 'approved') return outcomeOf(invocation)
  const spec = { ...asked, arguments: invocation.arguments, scope, signal, ...held(host) }
  return outcomeOf(await executeCall(host.db, { ...spec, dispatch: approvalAnswer(host.db, scope) }))
}

interface Question {
  approvers?: readonly string[]
  prompt?: string
  instructions?: string
}

/**
 * A tool of the platform keeps its effect and its key in one transaction, so the key is the step's and the same over all
 * attempts; the invocation around it is what get_run shows.
 */
async function callServerTool(dispatch: Dispatch, server: string, tool: string): Promise<Carried> {
  const { host, task, runId, signal } = dispatch
  const args = task.input ?? {}
  const name = `${server}.${tool}`
  const scope = taskScope(task, runId)
  const called = executeCall(host.db, {
    scope,
    caller: callerOf(dispatch),
    key: keyOf(task),
    kind: 'server_tool',
    tool: name,
    arguments: args,
    effect: 'journaled',
    ...provenance(dispatch),
    ...held(host),
    signal,
    dispatch: untilDecided(name, async (sent) => ({
      output: await call(dispatch, server, tool, args, calleeKey(sent.invocation)),
    })),
  })
  return await called.then(outcomeOf, async (error: unknown) => {
    const approval = approvalAwaited(error)
    if (approval === undefined) throw error
    const { invocation_id } = await host.db.tx(scope, (tx) => getRecord(tx, 'approval', approval), { readOnly: true })
    return { status: 'parked', invocation_id }
  })
}

/** What a call is part of. */
function provenance({ task, runId }: Dispatch) {
  const run = runId === undefined ? {} : { run_id: runId }
  return { attempt: task.attempt, plan_id: task.plan_id, task_id: task.id, ...run }
}

function held(host: Host) {
  return { owner: leaseOwner(host.boot_id), lease_ms: host.config.engine.leaseMs }
}

interface InvocationView {
  id: string
  status: string
  output?: unknown
  error?: unknown
}

function outcomeOf({ id, status, output, error }: InvocationView): Carried {
  if (status === 'pending_approval') return { status: 'parked', invocation_id: id }
  if (status === 'succeeded') return { status: 'completed', output: output ?? null }
  if (error !== null && typeof error === 'object') return failedWith(error)
  throw runtimeErrors.noOutcome({ invocation: id, status })
}

function call(dispatch: Dispatch, server: string, tool: string, args: unknown, key: string) {
  const { host, task, runId } = dispatch
  return host.call(server, tool, args, {
    caller: callerOf(dispatch),
    idempotency_key: key,
    timeout_ms: waitOf(dispatch) + (task.timeout_ms ?? DEFAULT_TIMEOUT_MS) + GRACE_MS,
    ...(runId === undefined ? {} : { correlation_id: runId }),
  })
}

/** What code may wait for the sandbox before its time begins. */
function waitOf({ host, task }: Dispatch): number {
  return runsCode(task.kind, task.spec['tool']) ? host.config.sandbox.waitMs : 0
}

/** Who the plan runs as, with what this call is journaled under and the fence that proves it is not an old one. */
function callerOf({ task, runId }: Dispatch): Caller {
  const run = runId === undefined ? {} : { run_id: runId }
  return { ...task.caller, ...run, plan_id: task.plan_id, task_id: task.id, fence: task.fence }
}

/** The key of this attempt: a new one opens only after the last is recorded as failed, so a restart repeats the same key. */
function keyOf({ step_key, attempt }: ClaimedTask): string {
  return attemptKey(step_key, attempt)
}

/** The task's timeout as a limit of its run, where the plan sets no tighter one. */
function limitsOf({ spec, timeout_ms }: ClaimedTask): unknown {
  const limits = spec['limits'] as { timeout_ms?: number } | undefined
  if (timeout_ms === null) return limits
  return { ...limits, timeout_ms: Math.min(limits?.timeout_ms ?? timeout_ms, timeout_ms) }
}

function defined(fields: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined && value !== null))
}
