import { type Served, serve } from '@story-portal/shared/testing'
import { type Answer, type Case, exchange, type Target } from './exchange.ts'
import { requestReader } from './request-reader.ts'

export interface Pair {
  front: Served
  sdk: Served
  close(): Promise<void>
}

/** The same server twice: with the front path, and with every request sent to the SDK. */
export async function servePair(): Promise<Pair> {
  const front = await serve(requestReader())
  const sdk = await serve(requestReader(), { config: { mcp: { ...front.host.config.mcp, frontPath: false } } })
  return {
    front,
    sdk,
    async close() {
      await front.close()
      await sdk.close()
    },
  }
}

export const targetOf = ({ http, token }: Served): Target => ({ port: http.port, token })

/** What a server answers; a connection that is cut instead is an answer too. */
export function ask(served: Served, sent: Case): Promise<Answer | string> {
  return exchange(targetOf(served), sent).catch((error: NodeJS.ErrnoException) => `no answer: ${error.code}`)
}

/** Requests so far by path and reason, from /metrics. */
export async function counted(served: Served): Promise<Record<string, number>> {
  const lines = (await served.host.metrics.text()).matchAll(
    /^story_portal_mcp_requests_total\{server="\w+",path="(\w+)",reason="(\w*)"\} (\d+)$/gm,
  )
  return Object.fromEntries(Array.from(lines, ([, path, reason, n]) => [reason === '' ? path : reason, Number(n)]))
}
