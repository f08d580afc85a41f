import { createRequire } from 'node:module'
import type { Registry } from 'prom-client'

// Loaded with the first metrics: what only logs, such as the stdio relay, starts a third faster without its 32 files.
const load = createRequire(import.meta.url)

export interface Metrics {
  /** One per host, never prom-client's global one: tests and embedded hosts live side by side in a process. */
  readonly registry: Registry
  /** One finished tool call; `code` is `ok` or the error code. */
  observeCall(call: { server: string; tool: string; code: string; ms: number }): void
  /** Calls in flight now. */
  inFlight(server: string, delta: 1 | -1): void
  /** One MCP request over HTTP: answered by the front path (`fast`), or by the SDK (`slow`) for this reason. */
  frontPath(request: { server: string; path: 'fast' | 'slow'; reason: string }): void
  /** The `/metrics` page. */
  text(): Promise<string>
}

const BUCKETS_S = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300]

/** Rate, errors and duration per tool, plus the process's own figures when `processMetrics` is set. */
export function createMetrics(options: { processMetrics?: boolean } = {}): Metrics {
  const { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } = load(
    'prom-client',
  ) as typeof import('prom-client')
  const registry = new Registry()
  if (options.processMetrics) collectDefaultMetrics({ register: registry })
  const calls = new Counter({
    name: 'story_portal_tool_calls_total',
    help: 'Finished tool calls by outcome.',
    labelNames: ['server', 'tool', 'code'] as const,
    registers: [registry],
  })
  const duration = new Histogram({
    name: 'story_portal_tool_call_duration_seconds',
    help: 'Duration of tool calls.',
    labelNames: ['server', 'tool'] as const,
    buckets: BUCKETS_S,
    registers: [registry],
  })
  const active = new Gauge({
    name: 'story_portal_tool_calls_in_flight',
    help: 'Tool calls running now.',
    labelNames: ['server'] as const,
    registers: [registry],
  })
  const front = new Counter({
    name: 'story_portal_mcp_requests_total',
    help: 'MCP messages over HTTP: answered by the front path (fast) or the SDK (slow), and why by the SDK.',
    labelNames: ['server', 'path', 'reason'] as const,
    registers: [registry],
  })
  return {
    registry,
    observeCall({ server, tool, code, ms }) {
      calls.inc({ server, tool, code })
      duration.observe({ server, tool }, ms / 1000)
    },
    inFlight: (server, delta) => active.inc({ server }, delta),
    frontPath: (request) => front.inc(request),
    text: () => registry.metrics(),
  }
}
