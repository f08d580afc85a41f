import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type Opened, open } from '@story-portal/shared/testing'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'

// A request whose answer is lost goes to the tool's own question, never out again.

let tools: Opened
let receiver: Server
let host: string
/** Keys of what was done, in order. */
let done: string[]
/** What the receiver does with a POST before it cuts the line. */
let take: 'do' | 'ignore'

beforeAll(async () => {
  receiver = createServer((request, response) => {
    if (request.method === 'POST') {
      if (take === 'do') done.push(String(request.headers['idempotency-key']))
      request.socket.destroy()
      return
    }
    const key = new URL(request.url ?? '', 'http://x').searchParams.get('key') ?? ''
    response.writeHead(done.includes(key) ? 200 : 404).end()
  }).listen(0, '127.0.0.1')
  await new Promise((resolve) => receiver.once('listening', resolve))
  host = `127.0.0.1:${(receiver.address() as AddressInfo).port}`
  tools = await open('tool-execution', { with: ['data'], config: { fetch: { privateHosts: host } } })
})
afterAll(() => receiver.close())
beforeEach(() => {
  done = []
  take = 'do'
})

let count = 0
async function sender(verify?: string) {
  const name = `sender${++count}`
  const code = `const sent = await http.fetch('http://${host}/', { method: 'POST', body: 'x' }); return sent.status`
  await tools.call('register_tool', {
    ...{ name, version: '1.0.0', description: 'Sends.', input_schema: {}, permissions: { http: [host] } },
    source: { type: 'javascript', code, ...(verify === undefined ? {} : { verify }) },
  })
  const args = { tool: name, idempotency_key: name }
  return async () => (await tools.call('invoke_tool', args)).invocation
}

const ASKS = () => `
  const { status } = await http.fetch('http://${host}/?key=' + input.key)
  return status === 200 ? { state: 'done', output: { status: 201, asked: input.request.method } } : { state: 'not_done' }`

const requests = async (parent: string) =>
  (await tools.call('list_invocations', { kind: 'capability', parent_invocation_id: parent })).items

test('what was done is found by its key, and the code goes on with that', async () => {
  const send = await sender(ASKS())
  expect(await send()).toMatchObject({ status: 'succeeded', output: 201 })
  expect(done).toHaveLength(1)
  expect(await send()).toMatchObject({ output: 201, replayed: true })
  expect(done).toHaveLength(1)
})

test('undoing asks in the same way', async () => {
  const request = `const sent = await http.fetch('http://${host}/', { method: 'POST', body: input.output }); return sent.status`
  await tools.call('register_tool', {
    ...{ name: 'undone', version: '1.0.0', description: 'x', input_schema: {}, permissions: { http: [host] } },
    source: { type: 'javascript', code: 'return "done"', verify: ASKS(), compensate: request },
  })
  const { invocation } = await tools.call('invoke_tool', { tool: 'undone' })
  const undone = (await tools.call('compensate_invocation', { invocation_id: invocation.id })).invocation
  expect(undone).toMatchObject({ status: 'succeeded', output: 201 })
  expect(done).toHaveLength(1)
})

test('what was not done is a failure that says so, and is not sent again by itself', async () => {
  take = 'ignore'
  const send = await sender(ASKS())
  const { id, error } = await send()
  expect(error).toMatchObject({ number: 'E3036' })
  expect(await requests(id)).toMatchObject([{ status: 'failed', effect: 'outside' }])
})

test.each([
  ['no verify', undefined],
  ['a verify that says so', "return { state: 'unknown' }"],
  ['a verify that throws', "throw new Error('no idea')"],
  ['a verify that returns something else', "return { state: 'perhaps' }"],
  ['a verify that never ends', 'for (;;) {}'],
  [
    'a verify that would change something',
    "await http.fetch('http://HOST/', { method: 'POST' }); return { state: 'not_done' }",
  ],
  ['a verify that calls a tool', 'return await tools.data.list_records({ kind: "goal" })'],
])(
  'with %s the outcome stays unknown, and nothing is sent again',
  async (_what, verify) => {
    const send = await sender(verify?.replace('HOST', host))
    const first = await send()
    expect(first.error).toMatchObject({ number: 'E0502' })
    expect(await requests(first.id)).toMatchObject([{ status: 'unknown' }])
    expect(await send()).toMatchObject({ status: 'failed', replayed: true })
    expect(done).toHaveLength(1)
  },
  60_000,
)

test('verify that does not parse registers nothing and says where', async () => {
  const source = { type: 'javascript', code: 'return 1', verify: 'return (' }
  const args = { name: 'broken', version: '1.0.0', description: 'x', input_schema: {}, source }
  expect(await tools.callError('register_tool', args)).toMatchObject({
    details: { faults: [{ path: 'source.verify' }] },
  })
  expect(await tools.callError('register_tool', { ...args, source: { ...source, verfy: 'x' } })).toMatchObject({
    details: { faults: [{ path: 'source.verfy' }] },
  })
  expect(await tools.callError('get_registered_tool', { tool: 'broken' })).toMatchObject({ code: 'NOT_FOUND' })
})
