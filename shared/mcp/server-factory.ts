import {
  type CallToolResult,
  type JSONRPCRequest,
  type McpRequestContext,
  ProtocolError,
  ProtocolErrorCode,
  type RequestId,
  type Result,
  Server,
  type ServerContext,
  type Transport,
} from '@modelcontextprotocol/server'
import type { Caller } from '../auth/index.ts'
import { errors, safeText, toErrorBody } from '../errors/index.ts'
import { questionTo, takeAnswer } from './ask-person.ts'
import type { ToolBackend } from './backend.ts'
import type { ClientRequests } from './client-requests.ts'
import type { ClientSession } from './client-session.ts'
import type { HostCallOptions } from './host.ts'
import { type Era, namedBy, settle, type ToolOutcome } from './outcome.ts'
import { servePrompts } from './prompts.ts'
import { handlerRefusal } from './protocol-words.ts'
import { type RequestTools, serveResources } from './resources.ts'
import { newCorrelationId } from './trace.ts'

/** What the HTTP layer found out about a request; travels in the SDK's `authInfo.extra`. */
export interface RequestExtra {
  caller: Caller
  /** Aborted when an older client asks, in another request, for this call to be cancelled. */
  cancel: AbortSignal | undefined
  /** What an older client said of itself when it began. */
  session?: ClientSession | undefined
}

/** Lists change only with a new version of the server, which is a new process: five minutes cost nobody a stale tool. */
const CACHE_HINT = { ttlMs: 300_000, cacheScope: 'private' } as const

type RequestHandler = (request: JSONRPCRequest, ctx: ServerContext) => Promise<Result>

/** How a client of the 2025 protocols over HTTP is asked. */
type Wrap = (transport: Transport) => ReturnType<ClientRequests['transport']>

/** The SDK's server, whose refusals of a request's params are in our words. */
class PlainServer extends Server {
  wrap?: Wrap
  /** By request: what a call is answered with when a client of the 2025 protocols does not answer the question about it. */
  readonly unanswered = new Map<RequestId, CallToolResult>()

  override async connect(inner: Transport): Promise<void> {
    if (this.wrap === undefined) return super.connect(inner)
    const transport = this.wrap(inner)
    await super.connect(transport)
    await transport.introduce()
  }

  protected override _wrapHandler(method: string, handler: RequestHandler): RequestHandler {
    const wrapped = super._wrapHandler(method, handler)
    return async (request, ctx) => {
      try {
        const result = await wrapped(request, ctx)
        // Else it would be told, in the SDK's and the client's words, only that it was not asked, and not that its call waits.
        return this.unanswered.get(ctx.mcpReq.id) ?? result
      } catch (error) {
        throw handlerRefusal(method, request, error)
      } finally {
        this.unanswered.delete(ctx.mcpReq.id)
      }
    }
  }
}

/**
 * Makes the SDK's protocol server for one request (HTTP) or one connection (stdio, SSE). Everything expensive lives in the
 * backend: an instance is never shared, because a shared one answers one client with another's identity.
 */
export function protocolServer(
  backend: ToolBackend,
  context: Pick<McpRequestContext, 'era'> & { wrap?: Wrap | undefined },
  fixedCaller?: Caller,
): Server {
  const { name, title, version, instructions, resources = [], prompts = [] } = backend.server
  const server = new PlainServer(
    { name, title, version },
    {
      capabilities: {
        tools: {},
        ...(resources.length > 0 ? { resources: {} } : {}),
        ...(prompts.length > 0 ? { prompts: {} } : {}),
      },
      instructions,
      cacheHints: {
        'tools/list': CACHE_HINT,
        'server/discover': CACHE_HINT,
        'resources/templates/list': CACHE_HINT,
        'prompts/list': CACHE_HINT,
      },
    },
  )
  if (context.wrap) server.wrap = context.wrap
  const callerOf = (ctx: ServerContext): Caller => {
    const caller = extraOf(ctx)?.caller ?? fixedCaller
    if (caller === undefined) throw new ProtocolError(ProtocolErrorCode.InvalidRequest, 'The request has no caller.')
    return namedBy(caller, server.getClientVersion()?.name)
  }
  server.setRequestHandler('tools/list', (_request, ctx) => ({ tools: [...backend.list(callerOf(ctx))] }))
  server.setRequestHandler('tools/call', async (request, ctx) => {
    const { name: tool } = request.params
    if (!backend.has(tool)) {
      // Worded as the SDK does, with our body beside it for whoever reads data.
      const body = toErrorBody(errors.unknownTool({ server: name, tool }))
      throw new ProtocolError(ProtocolErrorCode.InvalidParams, `Tool ${safeText(tool, 60)} not found`, body)
    }
    server.unanswered.delete(ctx.mcpReq.id)
    const options = callOptions(ctx, callerOf(ctx), newCorrelationId())
    const answered = await takeAnswer(backend, ctx, { args: request.params.arguments, options })
    const args = answered?.args ?? request.params.arguments
    const outcome = await settle(backend, tool, args, options)
    const question = answered?.decided === false ? undefined : questionTo(server, ctx, { ...outcome, args })
    const result = toResult(outcome, context.era)
    if (question !== undefined && context.era === 'legacy') server.unanswered.set(ctx.mcpReq.id, result)
    return question ?? result
  })
  const requestTools: RequestTools = {
    reader: (ctx) => (tool, args) => backend.call(tool, args, callOptions(ctx, callerOf(ctx), newCorrelationId())),
    sees: (ctx, tool) => backend.list(callerOf(ctx)).some((shown) => shown.name === tool),
  }
  if (resources.length > 0) serveResources(server, resources, requestTools)
  if (prompts.length > 0) servePrompts(server, prompts, requestTools)
  backend.extend?.(server)
  return server
}

function extraOf(ctx: ServerContext): RequestExtra | undefined {
  return ctx.http?.authInfo?.extra as RequestExtra | undefined
}

function callOptions(ctx: ServerContext, caller: Caller, correlationId: string) {
  const meta = ctx.mcpReq._meta as Record<string, unknown> | undefined
  const token = meta?.['progressToken']
  const traceparent = meta?.['traceparent']
  const cancel = extraOf(ctx)?.cancel
  const signal = cancel === undefined ? ctx.mcpReq.signal : AbortSignal.any([ctx.mcpReq.signal, cancel])
  const options: HostCallOptions & { correlation_id: string } = { caller, correlation_id: correlationId, signal }
  if (typeof traceparent === 'string') options.traceparent = traceparent
  if (typeof token !== 'string' && typeof token !== 'number') return options
  options.onProgress = (update) => {
    // A client that is gone can't be told; the call itself notices by its signal.
    ctx.mcpReq.notify({ method: 'notifications/progress', params: { progressToken: token, ...update } }).catch(() => {})
  }
  return options
}

function toResult({ text, value, isError }: ToolOutcome, era: Era): CallToolResult {
  const content: CallToolResult['content'] = [{ type: 'text', text }]
  if (!isError) return { content, structuredContent: value }
  return era === 'modern' ? { content, structuredContent: value, isError } : { content, isError }
}
