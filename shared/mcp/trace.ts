import { randomHex } from '../random/index.ts'

const TRACEPARENT = /^00-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-([0-9a-f]{2})$/

/**
 * The W3C trace context of one call: same trace as the caller's `traceparent` with a span of its own, or a new trace when
 * there is none or it is malformed (https://www.w3.org/TR/trace-context/#traceparent-header).
 */
export function nextTraceparent(incoming: unknown): string {
  const match = typeof incoming === 'string' ? TRACEPARENT.exec(incoming) : null
  const traceId = match?.[1] ?? randomHex(16)
  return `00-${traceId}-${randomHex(8)}-${match?.[2] ?? '01'}`
}

/** Ties everything one client request caused together, over all servers; printed in every error and log line. */
export function newCorrelationId(): string {
  return `cor_${randomHex(12)}`
}
