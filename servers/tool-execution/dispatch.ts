import { createHash } from 'node:crypto'
import type { Caller } from '@story-portal/shared/auth'
import type { TenantScope } from '@story-portal/shared/db'
import {
  type CallSpec,
  callErrors,
  type Dispatch,
  type DispatchResult,
  type InvocationRecord,
  leavesOpen,
} from '@story-portal/shared/engine'
import { isStoryPortalError, type StoryPortalError } from '@story-portal/shared/errors'
import { assertStorable } from '@story-portal/shared/events'
import type { Host } from '@story-portal/shared/mcp'
import { Answers, recordedAnswers } from './answers.ts'
import { capabilities } from './capabilities.ts'
import { faults } from './errors.ts'
import { faultsOf } from './json-schema.ts'
import type { Repeatable, RunRequest, RunResult } from './sandbox/sandbox.ts'
import { limitsFor, sandboxOf } from './sandbox-of-host.ts'
import { type Work, workOf } from './work.ts'

/**
 * How an invocation of this server is carried out, by whoever holds its lease: the waiting call, or a background worker.
 * `known` spares reading the work again when the invocation is the one it was made for.
 */
export function dispatchFor(host: Host, scope: TenantScope, known?: Known): CallSpec['dispatch'] {
  return async (call) => {
    const same = known && known.tool_id === call.invocation.tool_id
    const work = same ? known.work : await host.db.tx(scope, (tx) => workOf(tx, call.invocation), { readOnly: true })
    return outcomeOf(host, work, await runWork(host, scope, call, work))
  }
}

export interface Known {
  tool_id: string | null
  work: Work
}

async function runWork(host: Host, scope: TenantScope, call: Dispatch, work: Work): Promise<RunResult> {
  const caller = call.invocation.caller as unknown as Caller
  const answers = await answersOf(host, scope, call, work)
  const answer = capabilities({ host, scope, call, caller, grants: work.grants, answers })
  const unanswered = new AbortController()
  const request: RunRequest = {
    code: work.code,
    language: work.language,
    input: work.input,
    limits: limitsFor(host.config.sandbox, work.limits),
    depth: caller.depth ?? 0,
    repeatable: call.invocation.kind === 'script' ? repeatable(call.invocation) : undefined,
    group: scope.tenant_id,
    signal: AbortSignal.any([call.signal, unanswered.signal]),
    async onCall(hostCall) {
      try {
        return await answer(hostCall)
      } catch (error) {
        // Told to the code it would be an answer, and the next run would get another one at this index.
        if (leavesOpen(error) && !hostCall.signal.aborted) unanswered.abort(callErrors.abandoned())
        throw error
      }
    },
  }
  const result = await runOnce(host, request)
  if (unanswered.signal.aborted) throw callErrors.abandoned()
  if (result.ok && answers.unasked) return { ...result, ok: false, error: faults.callsMissing() }
  // Somebody killed the process. Code without capabilities has changed nothing, so it may run again; once, because it may be
  // the code that got it killed.
  if (!result.ok && result.error.number === 'E3020' && work.grants.length === 0) return runOnce(host, request)
  return result
}

/** A first run has none: what an earlier holder recorded is there from the second on. */
async function answersOf(
  host: Host,
  scope: TenantScope,
  { invocation, fence }: Dispatch,
  work: Work,
): Promise<Answers> {
  return fence > 1 && work.grants.length > 0 ? await recordedAnswers(host, scope, invocation) : new Answers([])
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

function outcomeOf(host: Host, work: Work, run: RunResult): DispatchResult {
  const { logs } = run
  const usage = { ...run.usage }
  const error = run.ok ? resultFault(host, work, run.result) : run.error
  return error ? { error, logs, usage } : { output: run.ok ? run.result : undefined, logs, usage }
}

function resultFault(host: Host, work: Work, result: unknown): StoryPortalError | undefined {
  const unstorable = storageFault(result, host.config.mcp.maxDepth)
  if (unstorable) return faults.resultNotStorable({ message: unstorable })
  const schema = work.tool?.output_schema
  const found = schema ? faultsOf(schema, result, 'output') : []
  if (found.length === 0) return undefined
  const summary = found.map(({ path, message }) => `${path} ${message}`).join('; ')
  return faults.outputDoesntFit({ tool: work.tool?.name ?? '', summary }, { details: { faults: found } })
}

function storageFault(value: unknown, maxDepth: number): string | undefined {
  if (isDeeperThan(value, maxDepth)) return `it is nested deeper than ${maxDepth} levels`
  try {
    assertStorable(value, 'result')
    return undefined
  } catch (error) {
    if (isStoryPortalError(error)) return error.message
    throw error
  }
}

function isDeeperThan(value: unknown, levels: number): boolean {
  let row = [value]
  for (let level = 0; row.length > 0; level++) {
    if (level > levels) return true
    row = row.flatMap((item) => (typeof item === 'object' && item !== null ? Object.values(item) : []))
  }
  return false
}
