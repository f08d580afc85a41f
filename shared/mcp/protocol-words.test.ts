import { afterAll, beforeAll, expect, test } from 'vitest'
import { fixtureServer, type Served, serve } from '../testing/index.ts'

let served: Served

beforeAll(async () => {
  served = await serve(fixtureServer())
})
afterAll(() => served.close())

const ENVELOPE = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientCapabilities': {},
}

async function send(method: string, params: object, era: 'modern' | 'legacy') {
  const name = 'name' in params ? { 'mcp-name': String(params.name) } : {}
  const modern = { 'mcp-protocol-version': '2026-07-28', 'mcp-method': method, ...name }
  const response = await served.request('/mcp', {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      ...(era === 'modern' ? modern : {}),
    },
    body: JSON.stringify({
      jsonrpc: '2.0',
      id: 1,
      method,
      params: era === 'modern' ? { _meta: ENVELOPE, ...params } : params,
    }),
  })
  const text = await response.text()
  return { text, message: JSON.parse(/\{.*\}/s.exec(text)?.[0] ?? '{}') }
}

const VALIDATOR = /Invalid input|invalid_type|expected \w+, received/

test.each<[string, object, string, ('modern' | 'legacy')[]]>([
  ['tools/call', {}, 'params.name', ['modern', 'legacy']],
  ['tools/call', { name: 7 }, 'params.name', ['modern', 'legacy']],
  ['tools/call', { name: 'echo_value', arguments: [] }, 'params.arguments', ['modern', 'legacy']],
  ['tools/list', { cursor: 7 }, 'params.cursor', ['modern', 'legacy']],
  ['initialize', { protocolVersion: 7 }, 'params.protocolVersion', ['legacy']],
])('%s with %o: -32602, the path and a hint, none of the validator', async (method, params, path, eras) => {
  for (const era of eras) {
    const { text, message } = await send(method, params, era)
    expect(text).not.toMatch(VALIDATOR)
    expect(message.error.code).toBe(-32602)
    expect(message.error.data.error).toMatchObject({ number: 'E0916', hint: expect.stringContaining('params.name') })
    expect(message.error.data.error.details.faults.map((fault: { path: string }) => fault.path)).toContain(path)
  }
})

test.each([
  ['protocolVersion', 5],
  ['clientCapabilities', 'x'],
  ['clientInfo', { version: 1 }],
])('an envelope whose %s is %o is refused by its path', async (key, value) => {
  const name = `io.modelcontextprotocol/${key}`
  const params = { name: 'echo_value', arguments: {}, _meta: { ...ENVELOPE, [name]: value } }
  const { text, message } = await send('tools/call', params, 'modern')
  expect(text).not.toMatch(VALIDATOR)
  expect(message).toMatchObject({ id: 1, error: { code: -32602, data: { error: { number: 'E0916' } } } })
  expect(text).toContain(`params._meta.${name}`)
})
