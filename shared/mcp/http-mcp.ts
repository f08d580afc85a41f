import type { IncomingMessage, ServerResponse } from 'node:http'
import { type NodeIncomingMessageLike, toNodeHandler } from '@modelcontextprotocol/node'
import { type AuthInfo, createMcpHandler, type McpRequestContext, type Transport } from '@modelcontextprotocol/server'
import type { Caller } from '../auth/index.ts'
import type { ToolBackend } from './backend.ts'
import { answererOf, type ClientRequests, clientRequests } from './client-requests.ts'
import { readSession } from './client-session.ts'
import { frontPath } from './front-path.ts'
import { planFront } from './front-plan.ts'
import type { Host } from './host.ts'
import { readBody } from './http-body.ts'
import { legacyCancellation, SESSION_HEADER } from './http-cancel.ts'
import { plainAnswer } from './protocol-words.ts'
import { protocolServer, type RequestExtra } from './server-factory.ts'

/**
 * Streamable HTTP of both eras for callers that are known: the front path answers plain calls and lists, everything else goes to
 * the SDK untouched and before a tool has started. `limit` is the largest body in bytes.
 */
export function mcpEndpoint(host: Host, backend: ToolBackend, limit: number) {
  const questions = clientRequests()
  const mcp = createMcpHandler((context) => protocolServer(backend, { ...context, wrap: asking(questions, context) }), {
    maxRequestBodySize: limit,
    onerror: (error) => host.log.debug({ err: error }, 'a request was refused by the protocol'),
  })
  const forward = toNodeHandler(
    { fetch: async (...request) => inPlainWords(await mcp.fetch(...request)) },
    { maxRequestBodySize: limit },
  )
  const observeCancellation = legacyCancellation()
  const front = frontPath(backend, (request, caller) =>
    mcp.fetch(request, { authInfo: authInfo({ caller, cancel: undefined }) }),
  )
  const count = (path: 'fast' | 'slow', reason: string) =>
    host.metrics.frontPath({ server: backend.server.name, path, reason })

  async function serve(req: IncomingMessage, res: ServerResponse, caller: Caller): Promise<void> {
    const body = req.method === 'POST' ? await readBody(req, limit) : ''
    const message = parseJson(body)
    const cancel = observeCancellation(req, res, message, caller)
    const session = req.headers[SESSION_HEADER]
    if (typeof session === 'string' && questions.answer(message, () => answererOf(caller, session))) {
      res.writeHead(202).end()
      return
    }
    const plan = host.config.mcp.frontPath ? planFront(message, req.headers, backend) : 'off'
    if (typeof plan === 'string') {
      count('slow', plan)
    } else if (plan.tool !== undefined) {
      count('fast', '')
      return front.call(plan, res, caller, cancel)
    } else if (await front.list(plan, res, caller)) {
      return count('fast', '')
    } else {
      count('slow', 'list_form')
    }
    await forward(
      asMessage(req, body, { caller, cancel, session: readSession(session) }),
      res as unknown as Parameters<typeof forward>[1],
    )
  }

  return { serve, close: () => mcp.close() }
}

/** How a server made for one request of an older client asks that client, where it said what it can be asked. */
function asking(questions: ClientRequests, { era, authInfo }: McpRequestContext) {
  const { caller, session } = (authInfo?.extra ?? {}) as Partial<RequestExtra>
  if (era !== 'legacy' || caller === undefined || session === undefined) return undefined
  return (inner: Transport) => questions.transport(inner, session, answererOf(caller, session.id))
}

/** A refusal without the words of the SDK's validator; every other answer passes untouched. */
async function inPlainWords(response: Response): Promise<Response> {
  if (response.status !== 400 || response.headers.get('content-type') !== 'application/json') return response
  const answer: unknown = await response.json()
  return Response.json(plainAnswer(answer), { status: response.status })
}

/** What is not JSON is the SDK's to refuse. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function authInfo(extra: RequestExtra): AuthInfo {
  const { caller } = extra
  return { token: '', clientId: caller.subject, scopes: [...caller.scopes], extra: { ...extra } }
}

/** The request as the SDK's adapter wants it, with the body that was read and checked here. */
function asMessage(req: IncomingMessage, body: string, extra: RequestExtra): NodeIncomingMessageLike {
  const headers = { ...req.headers } as Record<string, string | string[] | undefined>
  return {
    method: req.method ?? 'GET',
    url: req.url ?? '/',
    headers,
    auth: authInfo(extra),
    async *[Symbol.asyncIterator]() {
      if (body !== '') yield body
    },
  }
}
