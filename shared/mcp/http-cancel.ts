import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Caller } from '../auth/index.ts'
import { answererOf } from './client-requests.ts'
import { sessionId } from './client-session.ts'

export const SESSION_HEADER = 'mcp-session-id'

/**
 * Cancellation for clients of the 2025 protocols, which ask for it in a POST of its own. Serving stays stateless: the session id
 * given out with `initialize` keeps one client's request ids apart from another's, and any process takes it.
 */
export function legacyCancellation() {
  const running = new Map<string, AbortController>()

  /** Looks at one parsed POST: gives a session its name, carries out a cancellation, and returns the signal for a call. */
  return function observe(
    req: IncomingMessage,
    res: ServerResponse,
    body: unknown,
    caller: Caller,
  ): AbortSignal | undefined {
    const session = req.headers[SESSION_HEADER]
    // What is no JSON object is the SDK's to refuse.
    const message = typeof body === 'object' && body !== null ? (body as Message) : undefined
    if (message?.method === 'initialize') res.setHeader(SESSION_HEADER, sessionId(message.params))
    if (typeof session !== 'string' || message === undefined) return undefined
    const key = (id: unknown): string => JSON.stringify([answererOf(caller, session), id])
    if (message.method === 'notifications/cancelled') running.get(key(message.params?.requestId))?.abort()
    if (message.method !== 'tools/call') return undefined
    const controller = new AbortController()
    const own = key(message.id)
    running.set(own, controller)
    res.once('close', () => {
      if (running.get(own) === controller) running.delete(own)
    })
    return controller.signal
  }
}

interface Message {
  id?: unknown
  method?: unknown
  params?: { requestId?: unknown }
}
