import { once } from 'node:events'
import { connect } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { fixtureServer, type Served, serve } from '../testing/index.ts'
import { serveHttp } from './on-demand.ts'

let served: Served

beforeAll(async () => {
  served = await serve(fixtureServer())
})
afterAll(() => served.close())

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
  ['compressed', '{}', { 'content-encoding': 'gzip' }, 415],
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

test('a taken port is said plainly, with the way out', async () => {
  const options = { port: served.http.port, token: 'x' }
  await expect(serveHttp(served.host, 'fixture', options)).rejects.toMatchObject({
    number: 'E0906',
    message: expect.stringContaining(String(served.http.port)),
    hint: expect.stringContaining('STORY_PORTAL_PORT_BASE'),
  })
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
