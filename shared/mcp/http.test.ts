import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { Client as OldClient } from '@modelcontextprotocol/sdk/client/index.js'
import { SSEClientTransport } from '@modelcontextprotocol/sdk/client/sse.js'
import { StreamableHTTPClientTransport as OldTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { fixtureServer, type Served, serve } from '../testing/index.ts'

let served: Served

beforeAll(async () => {
  served = await serve(fixtureServer())
})
afterAll(() => served.close())

async function modern(path = '/mcp'): Promise<Client> {
  const client = new Client({ name: 'new', version: '1' }, { versionNegotiation: { mode: { pin: '2026-07-28' } } })
  await client.connect(new StreamableHTTPClientTransport(new URL(served.http.url + path), auth()))
  return client
}

async function legacy(path = '/mcp'): Promise<OldClient> {
  const client = new OldClient({ name: 'old', version: '1' })
  await client.connect(new OldTransport(new URL(served.http.url + path), auth()) as never)
  return client
}

async function sse(): Promise<OldClient> {
  const client = new OldClient({ name: 'oldest', version: '1' })
  await client.connect(new SSEClientTransport(new URL(`${served.http.url}/sse`), auth()) as never)
  return client
}

function auth() {
  return { requestInit: { headers: { authorization: `Bearer ${served.token}` } } }
}

const eras: [string, () => Promise<Client | OldClient>][] = [
  ['v2 at /mcp', () => modern()],
  ['v2 at /v1/mcp', () => modern('/v1/mcp')],
  ['v1 at /mcp', () => legacy()],
  ['v1 at /v1/mcp', () => legacy('/v1/mcp')],
  ['v1 over SSE', () => sse()],
]

test.each(eras)('%s: list, call, tool error, progress, cancel', async (_name, connectClient) => {
  const client = await connectClient()
  const { tools } = await client.listTools()
  expect(tools.map(({ name }) => name)).toContain('echo_value')
  const good = await client.callTool({ name: 'echo_value', arguments: { value: [1] } })
  expect(good).toMatchObject({ structuredContent: { value: [1], subject: 'user:local' } })
  const bad = (await client.callTool({ name: 'throw_coded', arguments: { id: 'n1' } })) as {
    isError: boolean
    content: { text: string }[]
  }
  expect(bad.isError).toBe(true)
  expect(JSON.parse(bad.content[0]?.text ?? '')).toMatchObject({
    error: { number: 'E0004', details: { looked_in: 'the box' } },
  })
  // Looked at while the call runs: the SDK's clients drop a progress that they read in one piece with the result.
  const seen: number[] = []
  const stop = new AbortController()
  const onprogress = ({ progress }: { progress: number }) => {
    if (seen.push(progress) === 3) stop.abort()
  }
  const running = callWith(client, 'run_slowly', { steps: 1000, step_ms: 20 }, { signal: stop.signal, onprogress })
  await expect(running).rejects.toThrow()
  expect(seen.slice(0, 3)).toEqual([1, 2, 3])
  await client.close()
})

interface Options {
  signal?: AbortSignal
  onprogress?: (update: { progress: number }) => void
}

/** The old client takes its options after the result schema. */
function callWith(
  client: Client | OldClient,
  name: string,
  args: Record<string, unknown>,
  options: Options,
): Promise<unknown> {
  const call = { name, arguments: args }
  return client instanceof OldClient ? client.callTool(call, undefined, options) : client.callTool(call, options)
}

test.each(eras)('%s: cancelling the request cancels the call', async (_name, connectClient) => {
  const client = await connectClient()
  const cancel = new AbortController()
  const running = callWith(client, 'run_slowly', { steps: 1000, step_ms: 20 }, { signal: cancel.signal })
  const refused = expect(running).rejects.toThrow()
  await inFlight(1)
  cancel.abort()
  await refused
  await inFlight(0)
  expect(await client.callTool({ name: 'echo_value', arguments: { value: 'next' } })).toMatchObject({
    structuredContent: { value: 'next' },
  })
  await client.close()
})

/** Waits until so many calls run on the server. */
async function inFlight(count: number): Promise<void> {
  const gauge = async () => /calls_in_flight\{server="fixture"\} (\d+)/.exec(await served.host.metrics.text())?.[1]
  await expect.poll(gauge, { timeout: 10_000, interval: 20 }).toBe(String(count))
}

test('a v1 client that knows the output schema reads our error and not a complaint about it', async () => {
  const client = await legacy()
  await client.listTools()
  const result = await client.callTool({ name: 'echo_value', arguments: { wrong: 1 } })
  expect(result).toMatchObject({ isError: true })
  expect(result.structuredContent).toBeUndefined()
  await client.close()
})

test('100 clients with equal ids at once: each gets its own answer, on every transport', async () => {
  const body = (value: string) => ({
    jsonrpc: '2.0',
    id: 1,
    method: 'tools/call',
    params: { name: 'echo_value', arguments: { value } },
  })
  const post = async (value: string) => {
    const response = await served.request('/mcp', {
      method: 'POST',
      headers: JSON_HEADERS,
      body: JSON.stringify(body(value)),
    })
    return JSON.parse(/data: (.*)/.exec(await response.text())?.[1] ?? '{}').result.structuredContent.value
  }
  const values = Array.from({ length: 100 }, (_, i) => `value ${i}`)
  for (let round = 0; round < 10; round += 1) expect(await Promise.all(values.map(post))).toEqual(values)

  const clients = await Promise.all(Array.from({ length: 100 }, sse))
  const answers = await Promise.all(
    clients.map((client, i) => client.callTool({ name: 'echo_value', arguments: { value: `client ${i}` } })),
  )
  expect(answers.map(({ structuredContent }) => (structuredContent as { value: string }).value)).toEqual(
    clients.map((_, i) => `client ${i}`),
  )
  await Promise.all(clients.map((client) => client.close()))
})

const JSON_HEADERS = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' }

test('health, readiness and metrics answer', async () => {
  expect(await (await served.request('/health/live')).json()).toEqual({ status: 'ok' })
  const ready = await served.request('/health/ready')
  expect(await ready.json()).toMatchObject({ status: 'ready', server: 'fixture', version: '1.2.3', reasons: [] })
  expect(ready.status).toBe(200)
  expect(await (await served.request('/metrics')).text()).toContain('story_portal_tool_calls_total')
})

test('an SSE session belongs to who opened it and its messages must be JSON-RPC', async () => {
  const stream = await served.request('/sse')
  const reader = stream.body?.pipeThrough(new TextDecoderStream()).getReader()
  const endpoint = /data: (\S+)/.exec((await reader?.read())?.value ?? '')?.[1] ?? ''
  const post = (body: string) => served.request(endpoint, { method: 'POST', headers: JSON_HEADERS, body })
  const refused = await post('{"secret":"value"}')
  expect(refused.status).toBe(400)
  expect(await refused.text()).not.toContain('value')
  expect((await post('not json')).status).toBe(400)
  expect((await fetch(served.http.url + endpoint, { method: 'POST', headers: JSON_HEADERS, body: '{}' })).status).toBe(
    401,
  )
  expect((await post('{"jsonrpc":"2.0","id":1,"method":"ping"}')).status).toBe(202)
  expect((await reader?.read())?.value).toContain('"id":1')
  await reader?.cancel()
})

test('closing lets a call in flight finish, ends streams that only wait, and takes no new connection', async () => {
  const leaving = await serve(fixtureServer('leaving', 94))
  const stream = await leaving.request('/sse')
  const body = {
    jsonrpc: '2.0',
    id: 1,
    method: 'tools/call',
    params: { name: 'run_slowly', arguments: { steps: 20, step_ms: 20 } },
  }
  const running = leaving.request('/mcp', { method: 'POST', headers: JSON_HEADERS, body: JSON.stringify(body) })
  const gauge = async () => /calls_in_flight\{server="leaving"\} (\d+)/.exec(await leaving.host.metrics.text())?.[1]
  await expect.poll(gauge).toBe('1')
  const closing = leaving.close()
  expect(await (await running).text()).toContain('"steps":20')
  await closing
  expect(await stream.text().catch(() => 'cut')).toBeTypeOf('string')
  await expect(fetch(`${leaving.http.url}/health/live`)).rejects.toThrow()
})

test('random damage to good requests: a code of the protocol each time, never a 5xx, and the next good call works', async () => {
  const message = JSON.stringify({
    jsonrpc: '2.0',
    id: 7,
    method: 'tools/call',
    params: { name: 'echo_value', arguments: { value: { a: [1, 'x'] } } },
  })
  const meta = {
    'io.modelcontextprotocol/protocolVersion': '2026-07-28',
    'io.modelcontextprotocol/clientCapabilities': {},
  }
  const newer = JSON.stringify({ ...JSON.parse(message), params: { ...JSON.parse(message).params, _meta: meta } })
  const damage = fc.array(
    fc.tuple(fc.nat(newer.length - 1), fc.constantFrom('"', '{', ']', '\\', '0', 'é', ':', '\u0001', '')),
    { minLength: 1, maxLength: 4 },
  )
  const samples = fc.sample(fc.tuple(fc.constantFrom(message, newer), damage), { numRuns: 300, seed: 20261123 })
  for (const [text, edits] of samples) {
    const body = edits.reduce((whole, [at, put]) => whole.slice(0, at) + put + whole.slice(at + 1), text)
    const headers: Record<string, string> = { ...JSON_HEADERS }
    if (text === newer)
      Object.assign(headers, {
        'mcp-protocol-version': '2026-07-28',
        'mcp-method': 'tools/call',
        'mcp-name': 'echo_value',
      })
    const response = await served.request('/mcp', { method: 'POST', headers, body })
    expect(response.status, body).toBeLessThan(500)
    await response.text()
  }
  const good = await served.request('/mcp', { method: 'POST', headers: JSON_HEADERS, body: message })
  expect(await good.text()).toContain('"a":[1,"x"]')
})
