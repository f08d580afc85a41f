import { Agent, request } from 'node:http'
import { HANG_MS } from './inbox.ts'
import type { PlatformProcess } from './platform-process.ts'

export type Era = 'modern' | 'legacy'

/** One message of JSON-RPC, looked into freely. */
// biome-ignore lint/suspicious/noExplicitAny: tests look into answers freely
export type Rpc = any

export interface Answer {
  /** Of HTTP. */
  status?: number
  /** Messages of JSON-RPC, or the one error body of an HTTP refusal. */
  messages: Rpc[]
  /** Everything as it came. */
  text: string
}

/** One way from a client to a server, by bytes. */
export interface Channel {
  readonly name: string
  readonly era: Era
  /** Sends bytes and takes what comes back next, alone on the channel; `expectsMessage` is false for what gets no message. */
  next(
    bytes: string | Buffer,
    options?: { headers?: Record<string, string>; expectsMessage?: boolean },
  ): Promise<Answer>
  /** Sends a request of a unique id, among others, and takes the answer of that id. */
  ask(message: Rpc): Promise<Answer>
  close(): Promise<void>
}

export const ENVELOPE = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientCapabilities': {},
}

export function rpc(era: Era, id: unknown, method: string, params: object = {}): Rpc {
  return { jsonrpc: '2.0', id, method, params: era === 'modern' ? { ...params, _meta: ENVELOPE } : params }
}

/** The headers that a well-behaved client would send with this message. */
export function headersFor(era: Era, { method, params }: Rpc): Record<string, string> {
  if (era === 'legacy') return {}
  const name = params?.name === undefined ? {} : { 'mcp-name': String(params.name) }
  return { 'mcp-protocol-version': '2026-07-28', 'mcp-method': String(method), ...name }
}

export const agent = new Agent({ keepAlive: true, maxSockets: 32 })

export interface PostOptions {
  port: number
  path: string
  headers: Record<string, string>
  body: string | Buffer
}

export function post({ port, path: to, headers, body }: PostOptions): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const options = { agent, port, host: '127.0.0.1', path: to, method: 'POST', headers, timeout: HANG_MS }
    const req = request(options, (res) => {
      let text = ''
      res.setEncoding('utf8').on('data', (piece: string) => {
        text += piece
      })
      res.on('end', () => resolve({ status: res.statusCode ?? 0, text }))
      res.on('error', reject)
    })
    req.on('timeout', () => req.destroy(new Error(`no answer for ${HANG_MS} ms`)))
    req.on('error', reject)
    req.end(body)
  })
}

export function clientHeaders(platform: PlatformProcess): Record<string, string> {
  return {
    authorization: `Bearer ${platform.token}`,
    'content-type': 'application/json',
    accept: 'application/json, text/event-stream',
  }
}

/** Streamable HTTP. */
export function httpChannel(platform: PlatformProcess, server: string, era: Era): Channel {
  const port = platform.port(server)
  const send = async (body: string | Buffer, headers: Record<string, string>): Promise<Answer> => {
    const { status, text } = await post({
      port,
      path: '/mcp',
      headers: { ...clientHeaders(platform), ...headers },
      body,
    })
    return { status, text, messages: messagesOf(text) }
  }
  return {
    name: `HTTP ${era}`,
    era,
    next: (bytes, { headers = {} } = {}) => send(bytes, headers),
    ask: (message) => send(JSON.stringify(message), headersFor(era, message)),
    close: async () => {},
  }
}

/** The wire of the command line and of the stdio entries: `/internal/call`, which knows tools and no JSON-RPC. */
export function internalChannel(platform: PlatformProcess, server: string): Channel {
  const port = platform.port(server)
  const send = async (tool: string, body: string | Buffer): Promise<Answer> => {
    const to = `/internal/call/${server}/${tool}`
    const { status, text } = await post({ port, path: to, headers: clientHeaders(platform), body })
    return { status, text, messages: messagesOf(text).filter((line) => !('accepted' in line)) }
  }
  return {
    name: 'internal call',
    era: 'legacy',
    next: (bytes) => send('none', bytes),
    ask: ({ params }) => send(params.name, JSON.stringify({ arguments: params.arguments })),
    close: async () => {},
  }
}

/** JSON, lines of JSON, or the data lines of an event stream. */
function messagesOf(text: string): Rpc[] {
  const lines = text.split('\n').map((line) => line.replace(/^data: /, ''))
  return lines.filter((line) => line.startsWith('{')).map((line) => JSON.parse(line))
}
