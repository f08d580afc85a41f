import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Server as ProtocolServer } from '@modelcontextprotocol/server'
import { errors, isStoryPortalError } from '../errors/index.ts'
import { localBackend, type ToolBackend } from './backend.ts'
import { mcpErrors } from './errors.ts'
import type { Host } from './host.ts'
import { readBody } from './http-body.ts'
import { createGate, type Gate } from './http-gate.ts'
import { internalCalls } from './http-internal.ts'
import { mcpEndpoint } from './http-mcp.ts'
import { pipelineLimit } from './http-pipelining.ts'
import { replyError, replyJson } from './http-reply.ts'
import { sseSessions } from './http-sse.ts'
import { newCorrelationId } from './trace.ts'
import { ENVELOPE_HEADER } from './wire.ts'

export interface HttpOptions {
  /** Default: the configured port base plus the server's number; 0 takes any free port. */
  port?: number
  /** The bearer token of the local user. */
  token: string
  /** Verifies the envelopes of other processes, default the configured one; without it only the bearer token opens /internal. */
  serviceKey?: string
  /** Several processes share the port and the kernel spreads connections (Linux). */
  reusePort?: boolean
  /** What the conformance fixtures need beyond tools: called with the protocol server of each request before it answers. */
  extend?: (server: ProtocolServer) => void
}

export interface HttpHandle {
  readonly port: number
  readonly url: string
  /** Takes no new connections, lets requests in flight finish, then closes what is left after `graceMs`. */
  close(graceMs?: number): Promise<void>
}

type Handler = (req: IncomingMessage, res: ServerResponse, path: string) => Promise<void> | void
interface Route {
  method: 'GET' | 'POST' | 'ANY'
  handle: Handler
}

const CLIENT_ERRORS: Record<string, string> = {
  HPE_HEADER_OVERFLOW: '431 Request Header Fields Too Large',
  ERR_HTTP_REQUEST_TIMEOUT: '408 Request Timeout',
}

/**
 * Headers must be here after 8 s and the whole request after 10 s: a slow client holds a socket, never a worker. An idle connection
 * stays for 30 s, because one that is closed just as its client uses it again costs that client a request.
 */
const TIMEOUTS = {
  headersTimeout: 8_000,
  requestTimeout: 10_000,
  keepAliveTimeout: 30_000,
  connectionsCheckingInterval: 1_000,
}

/** A client that takes nothing of its answer for so long is cut off: what it does not read stays in our memory. */
const UNREAD_MS = 10_000

/** The body of `serveHttp`. */
export async function listenHttp(host: Host, serverName: string, options: HttpOptions): Promise<HttpHandle> {
  const server = host.servers.get(serverName)
  if (!server) throw errors.unknownServer({ server: serverName })
  const allowedHosts = (host.config.mcp.allowedHosts ?? '').split(',').map((name) => name.trim().toLowerCase())
  const gate = createGate({ token: options.token, host: host.config.host, allowedHosts: allowedHosts.filter(Boolean) })
  const app = routes(
    host,
    extended(localBackend(host, server), options.extend),
    gate,
    options.serviceKey ?? host.config.serviceKey,
  )
  const http = createServer({ ...TIMEOUTS, keepAlive: true, noDelay: true }, (req, res) => {
    cutWhenUnread(res)
    dispatch(app.table, gate, req, res).catch((error: unknown) => fail(host, res, error))
  })
  http.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    if (!socket.writable) return
    const status = CLIENT_ERRORS[error.code ?? ''] ?? '400 Bad Request'
    // Destroyed once flushed: a client that reads nothing and closes nothing must not keep the socket.
    socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`, () => socket.destroy())
  })
  const port = options.port ?? host.config.portBase + server.port
  await listen(http, serverName, host.config.host, port, options.reusePort ?? false)
  const address = http.address() as AddressInfo
  const name = address.family === 'IPv6' ? `[${address.address}]` : address.address
  return {
    port: address.port,
    url: `http://${name}:${address.port}`,
    close: (graceMs = host.config.mcp.drainMs) => shut(http, app.close, host, graceMs),
  }
}

/** The clock runs once an answer is complete, not while a call does, and starts anew with every byte that leaves. */
function cutWhenUnread(res: ServerResponse): void {
  const arm = () => res.socket?.setTimeout(res.writableEnded ? UNREAD_MS : 0)
  res.once('prefinish', arm)
  // A pipelined request whose turn has come: the clock of the answer before it must not end its call.
  res.once('socket', arm)
}

function extended(backend: ToolBackend, extend: HttpOptions['extend']): ToolBackend {
  return extend === undefined ? backend : { ...backend, extend }
}

function routes(host: Host, backend: ToolBackend, gate: Gate, serviceKey: string | undefined) {
  const { maxBodyBytes } = host.config.mcp
  // Room for the envelope around arguments that are exactly at their own limit.
  const limit = maxBodyBytes + 64 * 1024
  const mcp = mcpEndpoint(host, backend, limit)
  const sse = sseSessions(backend, host.log)
  const internal = internalCalls(host, backend, gate, serviceKey)

  const inTurn = pipelineLimit()

  const serveMcp: Handler = (req, res) => {
    const caller = gate.authenticate(req, 'http')
    return inTurn(res, () => mcp.serve(req, res, caller))
  }
  const table: Record<string, Route> = {
    '/mcp': { method: 'ANY', handle: serveMcp },
    '/v1/mcp': { method: 'ANY', handle: serveMcp },
    '/sse': { method: 'GET', handle: (req, res) => sse.openStream(res, gate.authenticate(req, 'sse')) },
    '/messages': {
      method: 'POST',
      handle: (req, res) => {
        const caller = gate.authenticate(req, 'sse')
        return inTurn(res, async () => sse.post(req, res, caller, await readBody(req, limit)))
      },
    },
    '/health/live': { method: 'GET', handle: (_req, res) => replyJson(res, 200, { status: 'ok' }) },
    '/health/ready': { method: 'GET', handle: (req, res) => ready(host, backend, req, res) },
    '/metrics': {
      method: 'GET',
      handle: async (req, res) => {
        gate.authenticate(req, 'http')
        const text = await host.metrics.text()
        res.writeHead(200, { 'content-type': host.metrics.registry.contentType }).end(text)
      },
    },
    '/internal/call/': {
      method: 'POST',
      handle: (req, res, path) => {
        const call = async () => internal(req, res, path, await readBody(req, limit))
        // A signature is known to be good only with the body; a process of the platform does not pipeline.
        if (req.headers[ENVELOPE_HEADER] !== undefined) return call()
        gate.authenticate(req, 'internal')
        return inTurn(res, call)
      },
    },
  }
  return {
    table,
    async close() {
      sse.close()
      await mcp.close()
    },
  }
}

/** Methods that a Request of the web, which the SDK works with, can't have. */
const UNSPEAKABLE = new Set(['TRACE', 'TRACK', 'CONNECT'])

async function dispatch(table: Record<string, Route>, gate: Gate, req: IncomingMessage, res: ServerResponse) {
  gate.checkSource(req)
  const path = (req.url ?? '/').split('?', 1)[0] ?? '/'
  const key = path.startsWith('/internal/call/') ? '/internal/call/' : path
  const route = Object.hasOwn(table, key) ? table[key] : undefined
  if (!route) throw mcpErrors.unknownPath()
  const allowed =
    (route.method === 'ANY' && !UNSPEAKABLE.has(req.method ?? '')) ||
    route.method === req.method ||
    (route.method === 'GET' && req.method === 'HEAD')
  if (!allowed) {
    const method = route.method === 'ANY' ? 'POST' : route.method
    res.setHeader('allow', method)
    return replyError(res, mcpErrors.wrongMethod({ method: req.method ?? '', allowed: method }), undefined, 405)
  }
  await route.handle(req, res, path)
}

async function ready(host: Host, backend: ToolBackend, req: IncomingMessage, res: ServerResponse): Promise<void> {
  const { ok, reasons } = await host.ready()
  const { name, version } = backend.server
  // Whoever asks on this machine learns which data directory holds the port; nobody else needs to know a path of ours.
  const here = /^(::1|(::ffff:)?127\.)/.test(req.socket.remoteAddress ?? '') ? { home: host.config.home } : {}
  replyJson(res, ok ? 200 : 503, { status: ok ? 'ready' : 'not_ready', server: name, version, reasons, ...here })
}

/** Bad input that HTTP has a status of its own for. */
const STATUS: Record<string, number> = { E0901: 413, E0917: 415 }

function fail(host: Host, res: ServerResponse, error: unknown): void {
  const correlationId = newCorrelationId()
  const status = isStoryPortalError(error) ? STATUS[error.number] : undefined
  if (isStoryPortalError(error)) {
    const { number, code, message } = error
    host.log.info({ correlation_id: correlationId, error: { number, code, message } }, 'a request was refused')
  } else host.log.error({ err: error, correlation_id: correlationId }, 'a request failed')
  if (res.headersSent) res.destroy()
  else replyError(res, error, correlationId, status)
}

function listen(http: Server, server: string, host: string, port: number, reusePort: boolean): Promise<void> {
  return new Promise((resolve, reject) => {
    http.once('error', (error: NodeJS.ErrnoException) => {
      const reason = error.code ?? 'unknown reason'
      const coded = reason === 'EADDRINUSE' ? mcpErrors.portTaken : mcpErrors.portRefused
      reject(coded({ server, host, port, reason }, { cause: error }))
    })
    http.listen({ port, host, reusePort, exclusive: true }, resolve)
  })
}

/** Time for the answer of the last call to leave, once the call itself is over. */
const FLUSH_MS = 200

async function shut(http: Server, closeApp: () => Promise<void>, host: Host, graceMs: number): Promise<void> {
  const closed = new Promise<void>((resolve) => http.close(() => resolve()))
  http.closeIdleConnections()
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, graceMs)
  })
  // What stays open without a call is a stream that waits for news (SSE, subscriptions/listen): it ends with us.
  await Promise.race([late, closed, host.idle().then(() => sleep(FLUSH_MS))])
  clearTimeout(timer)
  await closeApp()
  http.closeAllConnections()
  await closed
}
