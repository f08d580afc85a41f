import { listRecords } from '@story-portal/shared/data'
import type { TenantScope, Tx } from '@story-portal/shared/db'
import type { CallSpec, Dispatch, DispatchResult } from '@story-portal/shared/engine'
import { errors, isStoryPortalError, type StoryPortalError } from '@story-portal/shared/errors'
import { assertStorable } from '@story-portal/shared/events'
import type { Host } from '@story-portal/shared/mcp'
import { faults } from './errors.ts'
import { faultsOf } from './json-schema.ts'
import type { RunResult } from './sandbox/sandbox.ts'
import { runHttpTool, upstreamKey } from './sources/http.ts'
import { runCode } from './sources/javascript.ts'
import { type Progress, runUpstreamTool } from './sources/mcp.ts'
import { verifyBy } from './sources/verify.ts'
import { type Work, workOf } from './work.ts'

/**
 * How an invocation of this server is carried out, by whoever holds its lease: the waiting call, or a background worker.
 * `known` spares reading the work again when the invocation is the one it was made for.
 */
export function dispatchFor(host: Host, scope: TenantScope, known?: Known): CallSpec['dispatch'] {
  return async (call) => {
    const same = known && known.tool_id === call.invocation.tool_id
    const work = same ? known.work : await host.db.tx(scope, (tx) => workOf(tx, call.invocation), { readOnly: true })
    return outcomeOf(host, work, await runWork(host, scope, call, work, same ? known.progress : undefined))
  }
}

/**
 * Asks the `verify` code of a tool what became of a call of an upstream whose outcome is not known, with `{key, request}`: the `idempotency-key` that HTTP
 * APIs got, and the arguments.
 */
export function verifierFor(host: Host, scope: TenantScope): NonNullable<CallSpec['verify']> {
  return async ({ key }) => {
    const { invocation, work } = await host.db.tx(scope, (tx) => callByKey(tx, key), { readOnly: true })
    const { source, grants, tool } = work
    // Code has asked about each of its requests itself.
    const ask = source.type === 'javascript' ? undefined : verifyBy({ invocation, signal: NEVER }, work)
    const question = { key: upstreamKey(key), request: invocation.arguments }
    return (await ask?.({ host, scope, grants, tool: tool?.name }, question)) ?? { state: 'unknown' }
  }
}

const NEVER = new AbortController().signal

async function callByKey(tx: Tx, call_key: string) {
  const { items } = await listRecords(tx, 'invocation', { filter: { call_key }, limit: 1 })
  const [invocation] = items
  if (invocation === undefined) throw errors.internal()
  return { invocation, work: await workOf(tx, invocation) }
}

export interface Known {
  tool_id: string | null
  work: Work
  /** Tells the waiting caller how far it is. */
  progress?: Progress
}

/** How each type of source is carried out. */
function runWork(host: Host, scope: TenantScope, call: Dispatch, known: Work, progress?: Progress): Promise<RunResult> {
  const { source } = known
  if (source.type === 'http') return runHttpTool(host, scope, call, { ...known, source })
  return source.type === 'mcp'
    ? runUpstreamTool(host, scope, { call, work: { ...known, source }, progress })
    : runCode(host, scope, call, { ...known, source })
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
  return faults.outputDoesntFit(
    { tool: `${work.tool?.name} ${work.tool?.version}`, summary },
    { details: { faults: found } },
  )
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
