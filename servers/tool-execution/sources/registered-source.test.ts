import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type Opened, open } from '@story-portal/shared/testing'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'

let tools: Opened
let url: string
let host: string
/** Orders by the key they came under. */
let orders = new Map<string, string>()
/** do: as asked; drop: done, the answer lost; ignore: nothing done, no answer. */
let take: 'do' | 'drop' | 'ignore'
let posts = 0

const shop = createServer((request: IncomingMessage, response: ServerResponse) => {
  const asked = new URL(request.url ?? '/', 'http://x').searchParams.get('key')
  const key = String(asked ?? request.headers['idempotency-key'])
  response.setHeader('content-type', 'application/json')
  if (request.method === 'GET') {
    const order = orders.get(key)
    return void response.writeHead(order === undefined ? 404 : 200).end(JSON.stringify({ order: order ?? null }))
  }
  if (request.method === 'DELETE') {
    orders.delete(key)
    return void response.end('{}')
  }
  posts += 1
  if (take === 'ignore') return void request.socket.destroy()
  orders.set(key, `order ${posts}`)
  if (take === 'drop') return void request.socket.destroy()
  response.writeHead(201).end(JSON.stringify({ order: orders.get(key), key }))
})

beforeAll(async () => {
  await new Promise<void>((listening) => shop.listen(0, '127.0.0.1', listening))
  host = `127.0.0.1:${(shop.address() as AddressInfo).port}`
  url = `http://${host}`
  tools = await open('tool-execution', {
    start: true,
    with: ['data', 'supervision'],
    config: { fetch: { privateHosts: host } },
  })
  const operation = (operationId: string) => ({ operationId, responses: { 201: { description: 'x' } } })
  const document = {
    ...{ openapi: '3.0.3', info: { title: 'x', version: '1' } },
    paths: { '/orders': { post: operation('order'), get: operation('look') } },
  }
  await tools.call('import_openapi', { name: 'shop', document, server_url: url })
})
afterAll(() => shop.close())
beforeEach(() => {
  orders = new Map()
  take = 'do'
  posts = 0
})

let count = 0
async function buy(more: object = {}) {
  const name = `buy${++count}`
  const verify = `
    const { status, body } = await http.fetch('${url}/orders?key=' + input.key)
    return status === 200 ? { state: 'done', output: { found: body.order, asked: input.request } } : { state: 'not_done' }`
  const compensate = `await http.fetch('${url}/orders?key=' + input.output.body.key, { method: 'DELETE' }); return 'undone'`
  await tools.call('register_tool', {
    ...{ name, version: '1.0.0', description: 'Buys.', input_schema: { type: 'object', additionalProperties: false } },
    ...{ source: { type: 'http', tool: 'shop_order', verify, compensate }, permissions: { http: [host] }, ...more },
  })
  return name
}
const invoke = async (tool: string, more: object = {}) =>
  (await tools.call('invoke_tool', { tool, ...more })).invocation

test('an answer that was lost is found by asking, and nothing is sent again', async () => {
  const tool = await buy()
  take = 'drop'
  const key = { idempotency_key: 'lost' }
  expect(await invoke(tool, key)).toMatchObject({ status: 'succeeded', output: { found: 'order 1', asked: {} } })
  expect(await invoke(tool, key)).toMatchObject({ status: 'succeeded', replayed: true })
  expect(posts).toBe(1)
})

test('what was not done is a failure, and without verify the outcome is unknown', async () => {
  take = 'ignore'
  expect((await invoke(await buy())).status).toBe('failed')
  const bare = await buy({ source: { type: 'http', tool: 'shop_order' } })
  expect((await invoke(bare)).status).toBe('unknown')
  expect(posts).toBe(2)
})

test('in the background too', async () => {
  const tool = await buy()
  take = 'drop'
  const { id } = await invoke(tool, { mode: 'background' })
  const status = async () => (await tools.call('get_invocation', { invocation_id: id })).invocation
  await expect.poll(async () => (await status()).status, { timeout: 15_000 }).toBe('succeeded')
  expect((await status()).output).toMatchObject({ found: 'order 1' })
  expect(posts).toBe(1)
})

test('a call is undone by code of its own', async () => {
  const done = await invoke(await buy())
  expect(orders.size).toBe(1)
  const { invocation } = await tools.call('compensate_invocation', { invocation_id: done.id })
  expect(invocation).toMatchObject({ status: 'succeeded', output: 'undone' })
  expect(orders.size).toBe(0)
})

test('the schemas, limits and consent are its own, but consent that the upstream tool needs stays', async () => {
  const tool = await buy({ limits: { timeout_ms: 5_000 }, requires_approval: true })
  expect(await tools.callError('invoke_tool', { tool, arguments: { x: 1 } })).toMatchObject({ number: 'E3044' })
  expect((await invoke(tool)).status).toBe('pending_approval')
  expect(posts).toBe(0)
  const over = { type: 'http', tool }
  const { tool: second } = await tools.call('register_tool', {
    ...{ name: 'again', version: '1.0.0', description: 'x', input_schema: {}, source: over },
  })
  expect(second).toMatchObject({ requires_approval: true, effect: 'outside' })
})

test('the upstream goes on with its own tools: what is over them is neither changed nor gone', async () => {
  const tool = await buy()
  const operation = (operationId: string) => ({ operationId, responses: { 201: { description: 'other' } } })
  const document = {
    ...{ openapi: '3.0.3', info: { title: 'x', version: '2' } },
    paths: { '/orders': { post: { ...operation('order'), summary: 'Another text' } } },
  }
  const args = { name: 'shop', document, server_url: url, approve_changes: true }
  const { tools: changes } = await tools.call('import_openapi', args)
  expect(changes.map(({ tool: name }: { tool: string }) => name).toSorted()).toEqual(['shop_look', 'shop_order'])
  const { tool: mine } = await tools.call('get_registered_tool', { tool })
  expect(mine.status).toBe('active')
  expect((await invoke(tool)).status).toBe('succeeded')
})

test.each([
  [{ type: 'mcp', tool: 'shop_order' }, 'source.tool'],
  [{ type: 'http', tool: 'shop_order', verify: 7 }, 'source.verify'],
  [{ type: 'http', tool: 'shop_order', verify: 'return (' }, 'source.verify'],
  [{ type: 'http', tool: 'shop_order', code: 'return 1' }, 'source.code'],
])('%j registers nothing', async (source, path) => {
  const tool = { name: 'wrong', version: '1.0.0', description: 'x', input_schema: {}, source }
  expect(await tools.callError('register_tool', tool)).toMatchObject({ details: { faults: [{ path }] } })
  expect(await tools.callError('invoke_tool', { tool: 'wrong' })).toMatchObject({ code: 'NOT_FOUND' })
})
