import type { IncomingMessage, ServerResponse } from 'node:http'
import { type Caller, type EnvelopeContent, envelopeVerifier } from '../auth/index.ts'
import { errors, toErrorBody } from '../errors/index.ts'
import type { ToolBackend } from './backend.ts'
import { mcpErrors } from './errors.ts'
import type { Host, HostCallOptions } from './host.ts'
import type { Gate } from './http-gate.ts'
import { newCorrelationId } from './trace.ts'
import { ENVELOPE_HEADER, type InternalLine, InternalRequest } from './wire.ts'

const KEEP_ALIVE_MS = 10_000
const PATH = /^\/internal\/call\/([a-z][a-z0-9-]{0,60})\/([A-Za-z0-9_.-]{1,120})$/

/** Calls from other processes of the platform: NDJSON out, closing the connection cancels. */
export function internalCalls(host: Host, backend: ToolBackend, gate: Gate, serviceKey: string | undefined) {
  const verify = serviceKey === undefined ? undefined : envelopeVerifier(serviceKey, backend.server.name)

  function identify(req: IncomingMessage, tool: string, body: string): HostCallOptions {
    const envelope = req.headers[ENVELOPE_HEADER]
    if (typeof envelope === 'string') {
      if (verify === undefined) throw errors.unauthenticated()
      return { ...fromEnvelope(verify(envelope, tool, body)), ...timeoutOf(parseRequest(body)) }
    }
    const caller = gate.authenticate(req, 'internal')
    const request = parseRequest(body)
    return { caller: withClient(caller, request), ...fromRequest(request) }
  }

  return async function serve(req: IncomingMessage, res: ServerResponse, path: string, body: string): Promise<void> {
    const [, server = '', tool = ''] = PATH.exec(path) ?? []
    const identity = identify(req, tool, body)
    if (server !== backend.server.name) throw errors.unknownServer({ server })
    // Before the first line, so that a caller knows that nothing ran and may go elsewhere.
    if (host.draining) throw mcpErrors.draining({}, { retry_after_ms: 1000 })
    const options = { correlation_id: newCorrelationId(), ...identity }
    const cancel = new AbortController()
    res.once('close', () => cancel.abort())
    const stream = lines(res)
    try {
      const result = await backend.call(tool, parseRequest(body).arguments ?? {}, {
        ...options,
        signal: cancel.signal,
        onProgress: (progress) => stream.write({ progress }),
      })
      stream.end({ result })
    } catch (error) {
      stream.end({ ...toErrorBody(error, options.correlation_id) })
    }
  }
}

function lines(res: ServerResponse) {
  res.writeHead(200, { 'content-type': 'application/x-ndjson', 'cache-control': 'no-store', 'x-accel-buffering': 'no' })
  res.write('{"accepted":true}\n')
  const keepAlive = setInterval(() => res.write('\n'), KEEP_ALIVE_MS)
  res.once('close', () => clearInterval(keepAlive))
  const text = (line: InternalLine): string => `${JSON.stringify(line)}\n`
  return {
    write: (line: InternalLine) => void (res.writable && res.write(text(line))),
    end: (line: InternalLine) => void res.end(text(line)),
  }
}

function parseRequest(body: string): InternalRequest {
  const parsed = InternalRequest.safeParse(parseJson(body))
  if (!parsed.success) throw errors.invalidInput({ summary: 'the body is not an internal call.' })
  return parsed.data
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function withClient(caller: Caller, { client }: InternalRequest): Caller {
  if (client === undefined) return caller
  const { cwd, ...rest } = client
  return { ...caller, client: cwd === undefined ? rest : { ...rest, cwd } }
}

function fromEnvelope({ caller, traceparent, correlation_id, idempotency_key }: EnvelopeContent): HostCallOptions {
  return {
    caller,
    ...(traceparent === undefined ? {} : { traceparent }),
    ...(correlation_id === undefined ? {} : { correlation_id }),
    ...(idempotency_key === undefined ? {} : { idempotency_key }),
  }
}

function fromRequest(request: InternalRequest): Omit<HostCallOptions, 'caller'> {
  const { correlation_id, traceparent, idempotency_key } = request
  return {
    ...(correlation_id === undefined ? {} : { correlation_id }),
    ...(traceparent === undefined ? {} : { traceparent }),
    ...(idempotency_key === undefined ? {} : { idempotency_key }),
    ...timeoutOf(request),
  }
}

/** What is left, not until when: the caller's clock may be another. */
function timeoutOf({ timeout_ms }: InternalRequest): { timeout_ms?: number } {
  return timeout_ms === undefined ? {} : { timeout_ms }
}
