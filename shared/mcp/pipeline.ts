import type { ScopedDb, TenantScope, Tx } from '../db/index.ts'
import { assertOutsideTransaction } from '../db/index.ts'
import { argumentsHash, assertTaskLease, withIdempotency } from '../engine/index.ts'
import { errors, isStoryPortalError, type StoryPortalError } from '../errors/index.ts'
import type { Logger } from '../telemetry/index.ts'
import { authorise } from './authorise.ts'
import { type CallClock, startClock } from './cancellation.ts'
import type { BaseContext, CallByName, CallTool, OpenContext, ProgressUpdate } from './define.ts'
import { type CompiledTool, compileTool } from './definition.ts'
import { parseArguments } from './faults.ts'
import { guardArguments } from './guard.ts'
import type { Host, HostCallOptions, LoadedServer } from './host.ts'
import { suggest } from './suggest.ts'
import { newCorrelationId, nextTraceparent } from './trace.ts'

type Result = Record<string, unknown>

/** What the pipeline needs of the process beyond `Host`. */
export interface PipelineHost extends Host {
  /** Aborted when the drain limit is over. */
  readonly cutOff: AbortSignal
  /** Counts a call in, and returns how to count it out. */
  enter(server: string): () => void
}

interface Call {
  host: PipelineHost
  server: LoadedServer
  compiled: CompiledTool
  args: Record<string, unknown>
  key: string | undefined
  options: HostCallOptions
  correlationId: string
  traceparent: string
  clock: CallClock
  log: Logger
}

/**
 * Runs one tool: guard, validate, authorise, deadline, transaction with idempotency, validate the result. Every surface ends
 * here; it rejects with a StoryPortalError only, and what a third party said stays in the log under the correlation id.
 */
export async function runTool(
  host: PipelineHost,
  server: LoadedServer,
  name: string,
  rawArguments: unknown,
  given: HostCallOptions,
): Promise<Result> {
  const options = given.correlation_id === undefined ? { ...given, correlation_id: newCorrelationId() } : given
  const leave = host.enter(server.name)
  const started = performance.now()
  let code = 'ok'
  try {
    return await run(host, server, name, rawArguments, options)
  } catch (error) {
    const coded = codedError(error)
    code = coded.code
    logFailure(host.log, server.name, name, options, coded, error)
    throw coded
  } finally {
    leave()
    // An unknown name is no label: a client could make up one series per call.
    const tool = server.tool(name)?.name ?? 'unknown'
    host.metrics.observeCall({ server: server.name, tool, code, ms: performance.now() - started })
  }
}

async function run(host: PipelineHost, server: LoadedServer, name: string, given: unknown, options: HostCallOptions) {
  const tool = server.tool(name)
  if (!tool) throw unknownTool(server, name)
  const compiled = compileTool(tool)
  const { maxBodyBytes, maxDepth } = host.config.mcp
  const raw = given ?? {}
  guardArguments(raw, { maxBytes: maxBodyBytes, maxDepth })
  const { idempotency_key: ownKey, ...args } = parseArguments(compiled, raw)
  authorise(options.caller, server.name, tool)

  const correlationId = options.correlation_id ?? newCorrelationId()
  const clock = startClock(`${server.name}.${tool.name}`, signalsOf(host, options), deadlineOf(host, options))
  const key = compiled.writes ? ((ownKey as string | undefined) ?? options.idempotency_key) : undefined
  const log = host.log.child({ correlation_id: correlationId, server: server.name, tool: tool.name })
  const traceparent = nextTraceparent(options.traceparent)
  const call: Call = { host, server, compiled, args, key, options, correlationId, traceparent, clock, log }
  try {
    clock.check()
    return await (tool.transaction === false ? runOpen(call) : runInTransaction(call))
  } finally {
    clock.dispose()
  }
}

async function runInTransaction(call: Call): Promise<Result> {
  const { tool } = call.compiled
  if (tool.transaction === false) throw new Error('not a transaction tool')
  const base = baseContext(call)
  const prepared = tool.prepare && (await untilGivenUp(call, tool.prepare(call.args, openContext(call))))
  const once = async (tx: Tx): Promise<Result> => {
    const result = checkResult(call, await tool.run(call.args, { ...base, tx }, prepared))
    // Cancelled or late while it ran: roll back, so that a cancelled call has changed nothing.
    call.clock.check()
    return result
  }
  const body = async (tx: Tx): Promise<Result> => {
    if (tool.effect !== 'read') await assertTaskLease(tx, call.options.caller)
    if (call.key === undefined) return once(tx)
    const identity = {
      tool: tool.name,
      key: call.key,
      args_hash: argumentsHash(call.args),
      subject: call.options.caller.subject,
    }
    return (await withIdempotency(tx, identity, () => once(tx))).result
  }
  return call.host.db.tx(scopeOf(call), body, { readOnly: tool.effect === 'read' })
}

async function runOpen(call: Call): Promise<Result> {
  const { tool } = call.compiled
  if (tool.transaction !== false) throw new Error('not an open tool')
  return checkResult(call, await untilGivenUp(call, tool.run(call.args, openContext(call))))
}

function openContext(call: Call): OpenContext {
  const callByName = nestedCalls(call)
  return { ...baseContext(call), db: scopedDb(call), call: callByName as unknown as CallTool, callByName }
}

/** What was cancelled or is late is not waited for: it may not heed its signal. */
function untilGivenUp<T>(call: Call, running: Promise<T>): Promise<T> {
  running.catch((error: unknown) => {
    if (call.clock.signal.aborted) call.log.debug({ err: error }, 'a call that was given up on has ended')
  })
  return Promise.race([running, call.clock.aborted])
}

function baseContext(call: Call): BaseContext {
  const { host, options, clock } = call
  return {
    caller: options.caller,
    config: host.config,
    log: call.log,
    signal: clock.signal,
    deadline: clock.deadline,
    correlation_id: call.correlationId,
    idempotency_key: call.key,
    now: () => host.now(),
    progress: (update: ProgressUpdate) => {
      if (!clock.signal.aborted) options.onProgress?.(update)
    },
    host,
  }
}

function scopeOf(call: Call): TenantScope {
  const { caller } = call.options
  return {
    kind: 'tenant',
    tenant_id: caller.tenant_id,
    subject: caller.subject,
    correlation_id: call.correlationId,
    traceparent: call.traceparent,
    source: `story-portal/${call.server.name}`,
  }
}

function scopedDb(call: Call): ScopedDb {
  const { db } = call.host
  const scope = scopeOf(call)
  return {
    mode: db.mode,
    vector: db.vector,
    tx: (fn, options) => db.tx(scope, fn, options),
    read: (fn) => db.tx(scope, fn, { readOnly: true }),
  }
}

function nestedCalls(call: Call): CallByName {
  return async (server, tool, args, options) => {
    assertOutsideTransaction('ctx.call')
    const { clock } = call
    const own = options?.timeout_ms === undefined ? undefined : Date.now() + options.timeout_ms
    const deadline = own === undefined ? clock.deadline : Math.min(own, clock.deadline ?? own)
    return call.host.call(server, tool, args, {
      ...options,
      caller: call.options.caller,
      correlation_id: call.correlationId,
      traceparent: call.traceparent,
      signal: options?.signal === undefined ? clock.signal : AbortSignal.any([clock.signal, options.signal]),
      ...(deadline === undefined ? {} : { deadline }),
    })
  }
}

function checkResult(call: Call, result: unknown): Result {
  const checked = call.compiled.output.safeParse(result)
  if (checked.success) return checked.data
  call.log.error({ issues: checked.error.issues }, 'the result does not fit the output schema')
  throw errors.internal()
}

function signalsOf(host: PipelineHost, options: HostCallOptions): AbortSignal[] {
  return options.signal === undefined ? [host.cutOff] : [host.cutOff, options.signal]
}

/** The caller's own deadline, or the configured limit for callers that name none. */
function deadlineOf(host: PipelineHost, { deadline, timeout_ms }: HostCallOptions): number | undefined {
  if (timeout_ms === undefined) return deadline ?? Date.now() + host.config.mcp.requestTimeoutMs
  return Math.min(Date.now() + timeout_ms, deadline ?? Number.POSITIVE_INFINITY)
}

/** Says which tool was probably meant; the same error for a name nobody has and one not visible here. */
export function unknownTool(server: LoadedServer, name: string): StoryPortalError {
  const near = suggest(name, server.tools.keys())
  return errors.unknownTool(
    { server: server.name, tool: name },
    near === undefined
      ? {}
      : { hint: `Did you mean ${near}? search_tools on service-hub finds tools of every server.` },
  )
}

function codedError(error: unknown): StoryPortalError {
  return isStoryPortalError(error) ? error : errors.internal({}, { cause: error })
}

/** Info and not debug: the correlation id that a refused caller was given must find something in the log. */
const LEVEL = { info: 'info', warning: 'warn', error: 'error', critical: 'error' } as const

function logFailure(
  log: Logger,
  server: string,
  tool: string,
  options: HostCallOptions,
  coded: StoryPortalError,
  original: unknown,
): void {
  const cause = coded.cause ?? (coded === original ? undefined : original)
  log[LEVEL[coded.severity]](
    {
      correlation_id: options.correlation_id,
      server,
      tool: tool.slice(0, 80),
      subject: options.caller.subject,
      error: { number: coded.number, code: coded.code, message: coded.message },
      ...(cause === undefined ? {} : { err: cause }),
    },
    'tool call failed',
  )
}
