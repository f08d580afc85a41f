import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { CreateMessageRequestSchema, ElicitRequestSchema } from '@modelcontextprotocol/sdk/types.js'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { serveFixture } from '../conformance/serve-fixture.ts'

let served: Awaited<ReturnType<typeof serveFixture>>
const clients: Client[] = []

beforeAll(async () => {
  served = await serveFixture()
})
afterAll(async () => {
  for (const client of clients) await client.close()
  await served.close()
})

const url = () => new URL(`http://127.0.0.1:${served.port}/mcp`)
const headers = () => ({ authorization: `Bearer ${served.token}` })

/** A client of the protocol before 2026-07-28, which is asked while its call runs. */
async function client(capabilities: object, answer?: (message: string) => unknown): Promise<Client> {
  const made = new Client({ name: 'old', version: '1' }, { capabilities })
  if (answer && 'elicitation' in capabilities)
    made.setRequestHandler(ElicitRequestSchema, async ({ params }) => (await answer(params.message)) as never)
  if (answer && 'sampling' in capabilities)
    made.setRequestHandler(CreateMessageRequestSchema, async () => (await answer('')) as never)
  await made.connect(new StreamableHTTPClientTransport(url(), { requestInit: { headers: headers() } }) as never)
  clients.push(made)
  return made
}

const elicit = (of: Client, message: string) => of.callTool({ name: 'test_elicitation', arguments: { message } })
const accept = (username: string) => ({ action: 'accept', content: { username, email: 'a@b.c' } })

test('20 clients with equal ids, asked at once, each get the answer to their own question', async () => {
  const all = await Promise.all(
    Array.from({ length: 20 }, () =>
      client({ elicitation: {} }, async (message) => {
        await new Promise((resolve) => setTimeout(resolve, Math.random() * 50))
        return accept(`user of ${message}`)
      }),
    ),
  )
  for (let round = 0; round < 3; round++) {
    const answers = await Promise.all(all.map((one, i) => elicit(one, `question ${round}.${i}`)))
    expect(answers.map((answer) => JSON.stringify(answer.content))).toEqual(
      all.map((_, i) => expect.stringContaining(`user of question ${round}.${i}\\"`)),
    )
  }
})

test('a client that can not be asked gets an error, and its next call works', async () => {
  const mute = await client({})
  expect(await elicit(mute, 'anyone?').catch((error: unknown) => error)).toSatisfy(
    (answer: { isError?: boolean } | Error) => answer instanceof Error || answer.isError === true,
  )
  expect(await mute.callTool({ name: 'test_simple_text', arguments: {} })).toMatchObject({ content: [{}] })
})

test('a sampling request reaches the client and its answer the call', async () => {
  const model = await client({ sampling: {} }, () => ({
    role: 'assistant',
    content: { type: 'text', text: 'forty-two' },
    model: 'm',
  }))
  const answer = await model.callTool({ name: 'test_sampling', arguments: { prompt: 'what?' } })
  expect(JSON.stringify(answer.content)).toContain('forty-two')
})

const MCP = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' }

function post(message: object, session: string): Promise<Response> {
  const body = JSON.stringify({ jsonrpc: '2.0', ...message })
  return fetch(url(), { method: 'POST', headers: { ...headers(), ...MCP, 'mcp-session-id': session }, body })
}

async function session(): Promise<string> {
  const clientInfo = { name: 'raw', version: '1' }
  const params = { protocolVersion: '2025-11-25', capabilities: { elicitation: {} }, clientInfo }
  const response = await post({ id: 0, method: 'initialize', params }, '')
  await response.text()
  return response.headers.get('mcp-session-id') ?? ''
}

/** The question that a call asked, and a way to read what comes after it. */
async function question(response: Response) {
  const reader = (response.body as ReadableStream<Uint8Array>).pipeThrough(new TextDecoderStream()).getReader()
  let text = ''
  const until = async (word: string) => {
    while (!text.includes(word)) {
      const { done, value } = await reader.read()
      if (done) throw new Error(`the stream ended without ${word}: ${text}`)
      text += value
    }
    return text
  }
  const id = /"id":"([0-9a-f-]{36})"/.exec(await until('elicitation/create'))?.[1]
  return { id, until, cancel: () => reader.cancel() }
}

const call = { id: 1, method: 'tools/call', params: { name: 'test_elicitation', arguments: { message: 'who?' } } }

test('only the session that was asked can answer, and only once', async () => {
  const own = await session()
  const asked = await question(await post(call, own))
  const result = accept('mallory')
  // Another session, a changed one, none, and an id that was never given out: taken, but told to nobody.
  for (const other of [await session(), own.replace(/^./, own.startsWith('0') ? '1' : '0'), ''])
    expect((await post({ id: asked.id, result }, other)).status).toBeLessThan(500)
  await post({ id: '00000000-0000-4000-8000-000000000000', result }, own)
  expect((await post({ id: asked.id, result: accept('alice') }, own)).status).toBe(202)
  const text = await asked.until('User response')
  expect(text).toContain('alice')
  expect(text).not.toContain('mallory')
  await post({ id: asked.id, result }, own)
  const again = await question(await post({ ...call, id: 2 }, own))
  expect(again.id).not.toBe(asked.id)
  await post({ id: again.id, error: { code: -1, message: 'no' } }, own)
  await again.until('"id":2')
})

test('a client that leaves while it is asked leaves nothing behind', async () => {
  const own = await session()
  const gone = await question(await post(call, own))
  await gone.cancel()
  await post({ id: gone.id, result: accept('late') }, own)
  const next = await question(await post({ ...call, id: 3 }, own))
  await post({ id: next.id, result: accept('present') }, own)
  expect(await next.until('User response')).toContain('present')
})

test.each([
  ['no text', 'x.'],
  ['no base64url', 'x.!!!'],
  ['too long', `x.${'A'.repeat(4_000)}`],
  ['null', 'x.bnVsbA'],
  ['an empty object', 'x.e30'],
  ['cut JSON', `x.${Buffer.from('{"a":1').toString('base64url')}`],
])("a session id of the client's own making (%s) is one that says nothing", async (_name, made) => {
  const response = await post({ id: 1, method: 'tools/call', params: { name: 'test_simple_text' } }, made)
  expect(await response.text()).toContain('simple text response')
})
