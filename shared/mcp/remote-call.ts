import { Agent, type ClientRequest, request as httpRequest, type IncomingMessage } from 'node:http'
import { request as httpsRequest, Agent as TlsAgent } from 'node:https'
import { createInterface } from 'node:readline'
import { type ErrorBody, errors, fromErrorBody, isStoryPortalError, type StoryPortalError } from '../errors/index.ts'
import { mcpErrors } from './errors.ts'
import type { HostCallOptions } from './host.ts'
import type { InternalLine } from './wire.ts'

export interface RemoteRequest {
  url: URL
  server: string
  headers: Record<string, string>
  body: string
  options: Pick<HostCallOptions, 'signal' | 'onProgress'>
  /** Milliseconds until this side gives up. */
  timeoutMs: number | undefined
}

/** How far a call that failed had come: only one that was never let in may be repeated without a key. */
export class RemoteFailure extends Error {
  readonly coded: StoryPortalError
  readonly stage: 'not_sent' | 'unknown' | 'refused' | 'answered'

  constructor(stage: RemoteFailure['stage'], coded: StoryPortalError) {
    super(coded.message)
    this.stage = stage
    this.coded = coded
  }
}

const agents = {
  'http:': new Agent({ keepAlive: true, maxSockets: 256, timeout: 120_000 }),
  'https:': new TlsAgent({ keepAlive: true, maxSockets: 256, timeout: 120_000 }),
}

/** One POST to another process: resolves with the tool's result, rejects with RemoteFailure. Aborting closes the connection. */
export function callOnce(call: RemoteRequest): Promise<Record<string, unknown>> {
  return new Promise((resolve, reject) => {
    const secure = call.url.protocol === 'https:'
    const req = (secure ? httpsRequest : httpRequest)(call.url, {
      method: 'POST',
      agent: secure ? agents['https:'] : agents['http:'],
      headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(call.body), ...call.headers },
    })
    const stop = stopper(call, req, reject)
    let connected = false
    req.once('socket', (socket) => {
      if (!socket.connecting) connected = true
      else socket.once('connect', () => (connected = true))
    })
    req.once('response', (res) => {
      readAnswer(call, res)
        .then(resolve, (error: unknown) => reject(asFailure(call.server, error)))
        .finally(stop)
    })
    req.once('error', (error) => {
      stop()
      const coded = (connected ? mcpErrors.brokenReply : mcpErrors.unreachable)(
        { server: call.server },
        { cause: error },
      )
      reject(new RemoteFailure(connected ? 'unknown' : 'not_sent', coded))
    })
    req.end(call.body)
  })
}

function stopper(call: RemoteRequest, req: ClientRequest, reject: (failure: RemoteFailure) => void): () => void {
  const { signal } = call.options
  const end = (coded: StoryPortalError): void => {
    reject(new RemoteFailure('answered', coded))
    req.destroy()
  }
  const onAbort = (): void => end(isStoryPortalError(signal?.reason) ? signal.reason : errors.cancelled())
  const ms = call.timeoutMs
  const timer = ms === undefined ? undefined : setTimeout(() => end(errors.timedOut({ what: call.server, ms })), ms)
  if (signal?.aborted) onAbort()
  else signal?.addEventListener('abort', onAbort, { once: true })
  return () => {
    clearTimeout(timer)
    signal?.removeEventListener('abort', onAbort)
  }
}

async function readAnswer(call: RemoteRequest, res: IncomingMessage): Promise<Record<string, unknown>> {
  if (res.statusCode !== 200) throw await readRefusal(call.server, res)
  for await (const text of createInterface({ input: res, crlfDelay: Number.POSITIVE_INFINITY })) {
    if (text === '') continue
    const line = JSON.parse(text) as InternalLine
    if ('progress' in line) call.options.onProgress?.(line.progress)
    else if ('result' in line) return line.result
    else if ('error' in line) throw new RemoteFailure('answered', fromErrorBody(line as never))
  }
  throw new Error('the answer ended without its last line')
}

/**
 * Our own error with a status other than 200 means: not let in, nothing has run. Any other body comes from something in between,
 * which may have passed the call on before it gave up.
 */
async function readRefusal(server: string, res: IncomingMessage): Promise<RemoteFailure> {
  const chunks: Buffer[] = []
  for await (const chunk of res as AsyncIterable<Buffer>) chunks.push(chunk)
  const body: unknown = JSON.parse(Buffer.concat(chunks).toString('utf8'))
  if (!isErrorBody(body)) return new RemoteFailure('unknown', mcpErrors.brokenReply({ server }))
  return new RemoteFailure('refused', fromErrorBody(body))
}

function isErrorBody(body: unknown): body is ErrorBody {
  const error = (body as { error?: Partial<ErrorBody['error']> } | null)?.error
  return (
    typeof error === 'object' &&
    error !== null &&
    typeof error.code === 'string' &&
    /^E\d{4,5}$/.test(String(error.number)) &&
    typeof error.message === 'string' &&
    typeof error.hint === 'string'
  )
}

function asFailure(server: string, error: unknown): RemoteFailure {
  if (error instanceof RemoteFailure) return error
  return new RemoteFailure('unknown', mcpErrors.brokenReply({ server }, { cause: error }))
}
