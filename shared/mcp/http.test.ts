import { once } from 'node:events'
import { connect } from 'node:net'
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { Client as OldClient } from '@modelcontextprotocol/sdk/client/index.js'
import { SSEClientTransport } from '@modelcontextprotocol/sdk/client/sse.js'
import { StreamableHTTPClientTransport as OldTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { fixtureServer, type Served, serve } from '../testing/index.ts'
import { serveHttp } from './on-demand.ts'

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
  const seen: number[] = []
  await callWith(client, 'run_slowly', { steps: 3 }, { onprogress: ({ progress }) => seen.push(progress) })
  expect(seen).toEqual([1, 2, 3])
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

test.each([
  ['no token', '/mcp', {}, 401],
  ['another token', '/mcp', { authorization: 'Bearer wrong' }, 401],
  ['another scheme', '/mcp', { authorization: 'Basic dXNlcjpwYXNz' }, 401],
  ['no token for SSE', '/sse', {}, 401],
  ['no token for metrics', '/metrics', {}, 401],
  ['no token for another process', '/internal/call/fixture/echo_value', {}, 401],
  ['another host', '/health/live', { host: 'evil.example' }, 403],
  ['a host that looks like ours', '/mcp', { host: '127.0.0.1.evil.example' }, 403],
  ['another origin', '/mcp', { origin: 'https://evil.example' }, 403],
  ['an opaque origin', '/mcp', { origin: 'null' }, 403],
])('%s is refused with our error body', async (_name, path, headers, status) => {
  const response = await raw(path, headers)
  expect(response.status).toBe(status)
  expect(response.body).toMatchObject({
    error: { code: status === 401 ? 'UNAUTHENTICATED' : 'DENIED', hint: expect.any(String) },
  })
  expect(JSON.stringify(response.body)).not.toContain('evil')
  expect((await served.request('/health/live')).status).toBe(200)
})

/** A request by hand: fetch does not let a test choose Host and Origin. */
async function raw(path: string, headers: Record<string, string>) {
  const method = path.startsWith('/internal') || path === '/mcp' ? 'POST' : 'GET'
  const all: Record<string, string> = { host: `127.0.0.1:${served.http.port}`, connection: 'close', ...headers }
  if (method === 'POST') Object.assign(all, { 'content-type': 'application/json', 'content-length': '2' })
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`)
  const text = await send(`${method} ${path} HTTP/1.1\r\n${lines.join('')}\r\n${method === 'POST' ? '{}' : ''}`)
  const [head = '', body = ''] = text.split('\r\n\r\n')
  return { status: Number(/^HTTP\/1\.1 (\d+)/.exec(head)?.[1]), head, body: body === '' ? undefined : JSON.parse(body) }
}

async function send(bytes: string | Buffer, port = served.http.port): Promise<string> {
  const socket = connect(port, '127.0.0.1')
  let text = ''
  socket.on('data', (chunk) => {
    text += chunk
  })
  socket.on('error', () => {})
  socket.write(bytes)
  await once(socket, 'close')
  return text
}

test.each([
  ['GET', '/nothing', 404],
  ['POST', '/health/live', 405],
  ['GET', '/messages', 405],
  ['DELETE', '/sse', 405],
  ['GET', '/mcp', 405],
  ['DELETE', '/mcp', 405],
  ['GET', '/__proto__', 404],
  ['POST', '/messages?sessionId=none', 404],
])('%s %s answers %d', async (method, path, status) => {
  const body = method === 'POST' ? { body: '{}', headers: JSON_HEADERS } : {}
  expect((await served.request(path, { method, ...body })).status).toBe(status)
})

test.each<[string, string | Uint8Array, Record<string, string>, number]>([
  ['too large', `"${'x'.repeat(2_000_000)}"`, {}, 413],
  ['not UTF-8', new Uint8Array([0x22, 0xff, 0xfe, 0x22]), {}, 400],
  ['10,000 deep', '['.repeat(10_000), {}, 400],
  ['compressed', '{}', { 'content-encoding': 'gzip' }, 400],
  ['of another type', '{}', { 'content-type': 'text/plain' }, 415],
  ['not JSON', '{"jsonrpc":', {}, 400],
])('a body that is %s is refused, and the next one served', async (_name, body, headers, status) => {
  const response = await served.request('/mcp', {
    method: 'POST',
    headers: { ...JSON_HEADERS, ...headers },
    body: body as never,
  })
  expect(response.status).toBe(status)
  expect(((await response.json()) as { error: object }).error).toMatchObject({ message: expect.any(String) })
  expect((await served.request('/health/live')).status).toBe(200)
})

test('a body that grows past the limit is cut off while it arrives', async () => {
  const head = `POST /mcp HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer ${served.token}\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n`
  const chunk = `20000\r\n${'x'.repeat(0x20000)}\r\n`
  const text = await send(head + chunk.repeat(12))
  expect(text).toMatch(/^HTTP\/1\.1 413/)
  expect(text).toContain('E0901')
})

test('headers over the limit answer 431, broken HTTP 400', async () => {
  expect(await send(`GET /health/live HTTP/1.1\r\nhost: 127.0.0.1\r\nx: ${'y'.repeat(70_000)}\r\n\r\n`)).toMatch(
    /^HTTP\/1\.1 431/,
  )
  expect(await send('NOT HTTP\r\n\r\n')).toMatch(/^HTTP\/1\.1 400/)
})

test('health, readiness and metrics answer', async () => {
  expect(await (await served.request('/health/live')).json()).toEqual({ status: 'ok' })
  const ready = await served.request('/health/ready')
  expect(await ready.json()).toMatchObject({ status: 'ready', server: 'fixture', version: '1.2.3', reasons: [] })
  expect(ready.status).toBe(200)
  expect(await (await served.request('/metrics')).text()).toContain('story_portal_tool_calls_total')
})

test('a taken port is said plainly, with the way out', async () => {
  const options = { port: served.http.port, token: 'x' }
  await expect(serveHttp(served.host, 'fixture', options)).rejects.toMatchObject({
    number: 'E0906',
    message: expect.stringContaining(String(served.http.port)),
    hint: expect.stringContaining('STORY_PORTAL_PORT_BASE'),
  })
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

test('more host names are allowed by the configuration, and only those', async () => {
  const mcp = { ...served.host.config.mcp, allowedHosts: 'portal.example, other.example' }
  const behindProxy = await serve(fixtureServer('proxied', 93), { config: { mcp } })
  const status = async (host: string) => {
    const text = await send(
      `GET /health/live HTTP/1.1\r\nhost: ${host}\r\nconnection: close\r\n\r\n`,
      behindProxy.http.port,
    )
    return /^HTTP\/1\.1 (\d+)/.exec(text)?.[1]
  }
  expect(await status('portal.example:8443')).toBe('200')
  expect(await status('127.0.0.1')).toBe('200')
  expect(await status('evil.example')).toBe('403')
  await behindProxy.close()
})

test('a client that sends its headers slowly is cut off, and others are served meanwhile', async () => {
  const slow = Array.from({ length: 50 }, () => {
    const socket = connect(served.http.port, '127.0.0.1')
    socket.on('error', () => {}).resume()
    socket.write('GET /health/live HTTP/1.1\r\nhost: 127.0.0.1\r\nx-a')
    return once(socket, 'close')
  })
  expect((await served.request('/health/live')).status).toBe(200)
  await Promise.all(slow)
  expect((await served.request('/health/live')).status).toBe(200)
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
