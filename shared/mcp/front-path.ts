import type { ServerResponse } from 'node:http'
import { SERVER_INFO_META_KEY } from '@modelcontextprotocol/server'
import type { Caller } from '../auth/index.ts'
import type { ToolBackend } from './backend.ts'
import { type FetchList, listFrames } from './front-list.ts'
import type { FrontPlan } from './front-plan.ts'
import type { HostCallOptions } from './host.ts'
import { type Era, namedBy, settle, type ToolOutcome } from './outcome.ts'
import { newCorrelationId } from './trace.ts'

/** The headers the SDK answers a call with, in its order; Content-Length stands where it would stream in chunks. */
const HEADERS: Record<Era, Record<string, string>> = {
  modern: { 'content-type': 'application/json' },
  legacy: {
    'cache-control': 'no-cache, no-transform',
    connection: 'keep-alive',
    'content-type': 'text/event-stream',
    'x-accel-buffering': 'no',
  },
}
/** The SDK's interval, and its comment: what lies between a client and a long call must not take it for dead. */
const KEEP_ALIVE_MS = 15_000
const KEEP_ALIVE = ': keepalive\n\n'

/** Answers planned requests with the bytes the SDK would answer them with, without building its objects for each. */
export function frontPath(backend: ToolBackend, fetchList: FetchList) {
  const { name, title, version } = backend.server
  const stamp = `,"resultType":"complete","_meta":${JSON.stringify({ [SERVER_INFO_META_KEY]: { name, title, version } })}`
  const frames = listFrames(backend, fetchList)

  async function call(plan: FrontPlan, res: ServerResponse, caller: Caller, cancel: AbortSignal | undefined) {
    // Nobody is there any more: the SDK would not start the tool either.
    if (res.destroyed) return
    const gone = new AbortController()
    res.once('close', () => {
      if (!res.writableFinished) gone.abort()
    })
    const keepAlive = plan.era === 'legacy' ? setInterval(sendKeepAlive, KEEP_ALIVE_MS, res) : undefined
    const signal = cancel === undefined ? gone.signal : AbortSignal.any([gone.signal, cancel])
    const options: HostCallOptions & { correlation_id: string } = {
      caller: namedBy(caller, plan.clientName),
      correlation_id: newCorrelationId(),
      signal,
    }
    if (plan.traceparent !== undefined) options.traceparent = plan.traceparent
    const outcome = await settle(backend, plan.tool ?? '', plan.args, options)
    clearInterval(keepAlive)
    if (!gone.signal.aborted) send(res, plan.era, responseText(plan, outcome, stamp))
  }

  /** Says whether it has answered; an SDK that answers a list in an unknown form keeps the request. */
  async function list(plan: FrontPlan, res: ServerResponse, caller: Caller): Promise<boolean> {
    const frame = await frames(plan.era, caller)
    if (frame === undefined) return false
    const id = JSON.stringify(plan.id)
    const length = frame.before.length + Buffer.byteLength(id) + frame.after.length
    res.writeHead(200, { ...frame.headers, 'content-length': length })
    // One system call, and no copy of the whole list.
    res.write(frame.before)
    res.write(id)
    res.end(frame.after)
    return true
  }

  return { call, list }
}

function sendKeepAlive(res: ServerResponse): void {
  if (!res.headersSent) res.writeHead(200, HEADERS.legacy)
  res.write(KEEP_ALIVE)
}

function responseText({ era, id }: FrontPlan, { text, isError }: ToolOutcome, stamp: string): string {
  const content = `{"result":{"content":[{"type":"text","text":${JSON.stringify(text)}}]`
  const structured = era === 'legacy' && isError ? '' : `,"structuredContent":${text}`
  const tail = `${isError ? ',"isError":true' : ''}${era === 'modern' ? stamp : ''}},"jsonrpc":"2.0","id":${JSON.stringify(id)}}`
  const message = content + structured + tail
  return era === 'modern' ? message : `event: message\ndata: ${message}\n\n`
}

function send(res: ServerResponse, era: Era, text: string): void {
  // After a keep-alive the head is gone and the length unknown.
  if (!res.headersSent) res.writeHead(200, { ...HEADERS[era], 'content-length': Buffer.byteLength(text) })
  res.end(text)
}
