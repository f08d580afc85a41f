import { afterAll, beforeAll, expect, test } from 'vitest'
import { fixtureServer, type Served, serve } from '../testing/index.ts'

let served: Served

beforeAll(async () => {
  served = await serve(fixtureServer())
})
afterAll(() => served.close())

const HEADERS = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' }

function post(message: object, headers: Record<string, string> = {}): Promise<Response> {
  const body = JSON.stringify({ jsonrpc: '2.0', ...message })
  return served.request('/mcp', { method: 'POST', headers: { ...HEADERS, ...headers }, body })
}

/** The name under which a client of the 2025 protocols cancels. */
async function session(): Promise<Record<string, string>> {
  const clientInfo = { name: 'old', version: '1' }
  const params = { protocolVersion: '2025-06-18', capabilities: {}, clientInfo }
  const response = await post({ id: 0, method: 'initialize', params })
  await response.text()
  return { 'mcp-session-id': response.headers.get('mcp-session-id') ?? '' }
}

test('of clients with equal ids, the one that cancels ends its own call and no other', async () => {
  const sessions = await Promise.all(Array.from({ length: 20 }, session))
  expect(new Set(sessions.map((headers) => headers['mcp-session-id'])).size).toBe(20)
  const params = { name: 'run_slowly', arguments: { steps: 50, step_ms: 20 } }
  const running = sessions.map(async (headers) => (await post({ id: 7, method: 'tools/call', params }, headers)).text())
  const gauge = async () => /calls_in_flight\{server="fixture"\} (\d+)/.exec(await served.host.metrics.text())?.[1]
  await expect.poll(gauge, { interval: 5 }).toBe('20')
  const cancel = { method: 'notifications/cancelled', params: { requestId: 7 } }
  // Without a session, and under one that nobody has, it is nobody's.
  await post(cancel)
  await post(cancel, { 'mcp-session-id': 'of nobody' })
  await post(cancel, sessions[3])
  const answers = await Promise.all(running)
  const finished = answers.map((text) => text.includes('"structuredContent":{"steps":50}'))
  expect(finished).toEqual(sessions.map((_, i) => i !== 3))
})
