import { createHash } from 'node:crypto'
import type { Caller } from '@story-portal/shared/auth'
import type { TenantScope } from '@story-portal/shared/db'
import { callErrors, type Dispatch, type InvocationRecord } from '@story-portal/shared/engine'
import { isStoryPortalError } from '@story-portal/shared/errors'
import type { Host } from '@story-portal/shared/mcp'
import { Answers, recordedAnswers } from '../answers.ts'
import { capabilities } from '../capabilities.ts'
import { faults } from '../errors.ts'
import { grantsAnything } from '../grants.ts'
import type { Repeatable, RunRequest, RunResult } from '../sandbox/sandbox.ts'
import { limitsFor, sandboxOf } from '../sandbox-of-host.ts'
import type { CodeWork } from '../work.ts'
import { Unanswered } from './unanswered.ts'
import { verifyBy } from './verify.ts'

/** Carries out code in the sandbox: one-off, a script, or that of a registered tool. */
export async function runCode(host: Host, scope: TenantScope, call: Dispatch, work: CodeWork): Promise<RunResult> {
  const result = await runWith(await answersOf(host, scope, call, work), { host, scope, call, work })
  if (result.ok || result.error.number !== KILLED) return result
  // Somebody killed the process. What its calls did is on record, so it may run again; once, because it may be the code that
  // got it killed.
  return await runWith(await recordedAnswers(host, scope, call.invocation), { host, scope, call, work })
}

const KILLED = faults.workerKilled().number

interface CodeRun {
  host: Host
  scope: TenantScope
  call: Dispatch
  work: CodeWork
}

async function runWith(answers: Answers, { host, scope, call, work }: CodeRun): Promise<RunResult> {
  const caller = call.invocation.caller as unknown as Caller
  const { grants, tool, source } = work
  const verify = verifyBy(call, work)
  const answer = capabilities({ host, scope, call, caller, grants, tool: tool?.name, answers, verify })
  const unanswered = new Unanswered()
  const result = await runOnce(host, {
    code: source.code,
    language: source.language,
    input: work.input,
    limits: limitsFor(host.config.sandbox, work.limits),
    depth: caller.depth ?? 0,
    repeatable: call.invocation.kind === 'script' ? repeatable(call.invocation) : undefined,
    group: scope.tenant_id,
    signal: AbortSignal.any([call.signal, unanswered.signal]),
    onCall: (hostCall) => unanswered.answer(hostCall, answer),
  })
  if (unanswered.signal.aborted) throw unanswered.signal.reason
  return result.ok && answers.unasked ? { ...result, ok: false, error: faults.callsMissing() } : result
}

/** A first run has none: what an earlier holder recorded is there from the second on. */
async function answersOf(host: Host, scope: TenantScope, call: Dispatch, work: CodeWork): Promise<Answers> {
  const repeated = call.fence > 1 && grantsAnything(work.grants)
  return repeated ? await recordedAnswers(host, scope, call.invocation) : new Answers([])
}

function repeatable({ id, created_at }: InvocationRecord): Repeatable {
  const seed = createHash('sha256').update(id).digest()
  return { clock: Date.parse(created_at), seed: [0, 4, 8, 12].map((at) => seed.readInt32LE(at)) }
}

/** A run that ends because this process stops has no outcome: it is handed back, and the next process runs it. */
async function runOnce(host: Host, request: RunRequest): Promise<RunResult> {
  try {
    const result = await sandboxOf(host).run(request)
    if (!result.ok && stopsHere(host, result.error)) throw callErrors.abandoned()
    return result
  } catch (error) {
    throw stopsHere(host, error) ? callErrors.abandoned() : error
  }
}

/** Killed with, or refused by, a sandbox that closes. */
function stopsHere(host: Host, error: unknown): boolean {
  return host.draining && isStoryPortalError(error) && ['E3020', 'E3023'].includes(error.number)
}
