import type { IncomingMessage, ServerResponse } from 'node:http'
import { SSEServerTransport } from '@modelcontextprotocol/server-legacy/sse'
import type { Caller } from '../auth/index.ts'
import { errors } from '../errors/index.ts'
import type { Logger } from '../telemetry/index.ts'
import type { ToolBackend } from './backend.ts'
import { mcpErrors } from './errors.ts'
import { replyError } from './http-reply.ts'
import { protocolServer } from './server-factory.ts'

const MAX_SESSIONS = 500
const KEEP_ALIVE_MS = 15_000
/** What an unread stream may pile up before its client is cut off. */
const MAX_UNSENT_BYTES = 8 * 1024 * 1024

interface Session {
  transport: SSEServerTransport
  caller: Caller
  end(): void
}

/** The HTTP+SSE transport of protocol 2024-11-05, for clients that know nothing newer. Sessions live in this process only. */
export function sseSessions(backend: ToolBackend, log: Logger) {
  const sessions = new Map<string, Session>()

  async function openStream(res: ServerResponse, caller: Caller): Promise<void> {
    if (sessions.size >= MAX_SESSIONS) throw mcpErrors.tooManyConnections({ what: 'SSE sessions' })
    const transport = new SSEServerTransport('/messages', res)
    const server = protocolServer(backend, { era: 'legacy' }, caller)
    const keepAlive = setInterval(() => {
      if (res.writableLength > MAX_UNSENT_BYTES) res.destroy()
      else res.write(': keep-alive\n\n')
    }, KEEP_ALIVE_MS)
    const end = (): void => {
      clearInterval(keepAlive)
      sessions.delete(transport.sessionId)
      server.close().catch((error: unknown) => log.debug({ err: error }, 'an SSE session did not close cleanly'))
    }
    res.once('close', end)
    sessions.set(transport.sessionId, { transport, caller, end })
    res.setHeader('x-accel-buffering', 'no')
    await server.connect(transport)
  }

  async function post(req: IncomingMessage, res: ServerResponse, caller: Caller, body: string): Promise<void> {
    const id = new URL(req.url ?? '/', 'http://localhost').searchParams.get('sessionId') ?? ''
    const session = sessions.get(id)
    // A session of someone else is as unknown as one that never was.
    if (!session || session.caller.subject !== caller.subject || session.caller.tenant_id !== caller.tenant_id) {
      throw mcpErrors.unknownSession()
    }
    const message = parse(body)
    if (message === undefined) throw errors.invalidInput({ summary: 'the body is not JSON.' })
    try {
      await session.transport.handleMessage(message)
    } catch (error) {
      // The transport's own refusal quotes the message back; ours does not.
      log.debug({ err: error }, 'an SSE message was refused')
      replyError(res, errors.invalidInput({ summary: 'the body is not one JSON-RPC 2.0 message.' }))
      return
    }
    res.writeHead(202).end('Accepted')
  }

  return {
    openStream,
    post,
    close(): void {
      for (const session of [...sessions.values()]) session.end()
    },
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
