import type { ServerResponse } from 'node:http'
import { ERROR_CODES, toErrorBody } from '../errors/index.ts'

/** Answers with JSON; nothing of ours is for caches or for other origins. */
export function replyJson(
  res: ServerResponse,
  status: number,
  body: unknown,
  headers: Record<string, string> = {},
): void {
  if (res.headersSent || res.destroyed) return
  const text = JSON.stringify(body)
  res.writeHead(status, {
    'content-type': 'application/json',
    'content-length': String(Buffer.byteLength(text)),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    ...headers,
  })
  res.end(text)
}

/** Answers with the error's own status and the one error body of every surface. */
export function replyError(res: ServerResponse, error: unknown, correlationId?: string, status?: number): void {
  const body = toErrorBody(error, correlationId)
  const http = status ?? ERROR_CODES[body.error.code].http
  const headers: Record<string, string> = {}
  if (http === 401) headers['www-authenticate'] = 'Bearer realm="story-portal"'
  if (body.error.retry_after_ms !== undefined)
    headers['retry-after'] = String(Math.ceil(body.error.retry_after_ms / 1000))
  // The rest of a refused upload is not read, so the connection can't be used again.
  if (http === 413 || http === 415) headers['connection'] = 'close'
  replyJson(res, http, body, headers)
}
