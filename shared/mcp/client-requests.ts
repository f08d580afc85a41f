import { randomUUID } from 'node:crypto'
import type { JSONRPCMessage, MessageExtraInfo, Transport, TransportSendOptions } from '@modelcontextprotocol/server'
import type { Caller } from '../auth/index.ts'
import type { ClientSession } from './client-session.ts'

/** Who may answer: the caller and the session that were asked. */
export function answererOf({ tenant_id, subject }: Caller, session: string): string {
  return JSON.stringify([tenant_id, subject, session])
}

export interface ClientRequests {
  /** Hands the answer of a client to the call that waits for it; false when none does, or another client was asked. */
  answer(message: unknown, answerer: () => string): boolean
  /** One request's transport, over which the client can be asked. */
  transport(inner: Transport, session: ClientSession, answerer: string): Transport & { introduce(): Promise<void> }
}

interface Waiting {
  answerer: string
  deliver(message: JSONRPCMessage): void
}

/**
 * Requests to clients of the 2025 protocols over HTTP. The question leaves on the stream of the call that asks it, the answer
 * comes in a POST of its own, which a server made for that one POST knows nothing about. So every question leaves under an id
 * that cannot be guessed, and the answer finds its call by it. Calls and answers meet in this process.
 */
export function clientRequests(): ClientRequests {
  const waiting = new Map<string, Waiting>()
  return {
    answer(message, answerer) {
      if (!isAnswer(message)) return false
      const found = waiting.get(message.id)
      if (found === undefined || found.answerer !== answerer()) return false
      waiting.delete(message.id)
      found.deliver(message as unknown as JSONRPCMessage)
      return true
    },
    transport: (inner, session, answerer) => new SessionTransport(inner, session, { waiting, answerer }),
  }
}

function isAnswer(message: unknown): message is { id: string } {
  if (typeof message !== 'object' || message === null || 'method' in message) return false
  return 'id' in message && typeof message.id === 'string' && ('result' in message || 'error' in message)
}

const INTRODUCTION = 'introduction'

class SessionTransport implements Transport {
  onclose?: (() => void) | undefined
  onerror?: ((error: Error) => void) | undefined
  onmessage?: (<T extends JSONRPCMessage>(message: T, extra?: MessageExtraInfo) => void) | undefined
  readonly #inner: Transport
  readonly #session: ClientSession
  readonly #asked: { waiting: Map<string, Waiting>; answerer: string }
  readonly #open = new Set<string>()
  #introduced: (() => void) | undefined

  constructor(inner: Transport, session: ClientSession, asked: { waiting: Map<string, Waiting>; answerer: string }) {
    this.#inner = inner
    this.#session = session
    this.#asked = asked
    inner.onmessage = (message, extra) => this.onmessage?.(message, extra)
    inner.onerror = (error) => this.onerror?.(error)
    inner.onclose = () => this.#close()
  }

  /** Tells the server what the client said in its own `initialize`, which another instance has answered. */
  introduce(): Promise<void> {
    const introduced = new Promise<void>((resolve) => {
      this.#introduced = resolve
    })
    this.onmessage?.({ jsonrpc: '2.0', id: INTRODUCTION, method: 'initialize', params: this.#session.initialize })
    return introduced
  }

  start(): Promise<void> {
    return this.#inner.start()
  }

  close(): Promise<void> {
    return this.#inner.close()
  }

  async send(message: JSONRPCMessage, options?: TransportSendOptions): Promise<void> {
    if ('id' in message && message.id === INTRODUCTION && this.#introduced) {
      this.#introduced()
      this.#introduced = undefined
      return
    }
    await this.#inner.send('method' in message && 'id' in message ? this.#question(message) : message, options)
  }

  #question<T extends JSONRPCMessage & { id: string | number }>(message: T): T {
    const id = randomUUID()
    this.#open.add(id)
    this.#asked.waiting.set(id, {
      answerer: this.#asked.answerer,
      deliver: (answer) => {
        this.#open.delete(id)
        this.onmessage?.({ ...answer, id: message.id } as JSONRPCMessage)
      },
    })
    return { ...message, id }
  }

  #close(): void {
    for (const id of this.#open) this.#asked.waiting.delete(id)
    this.#open.clear()
    this.onclose?.()
  }
}
