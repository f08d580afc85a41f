import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio'
import { Client as OldClient } from '@modelcontextprotocol/sdk/client/index.js'
import { StdioClientTransport as OldStdioTransport } from '@modelcontextprotocol/sdk/client/stdio.js'
import { StreamableHTTPClientTransport as OldHttpTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { ElicitRequestSchema } from '@modelcontextprotocol/sdk/types.js'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  type AnyClient,
  type Era,
  httpClient,
  manifests,
  mcpJson,
  root,
  tokenOf,
  type UnderTest,
  underTest,
} from './under-test.ts'

type Surface = 'stdio' | 'HTTP'
/** What the client's person does with the question; they are asked in the order of the calls. */
type Person = (message: string) => { action: string; content?: object }

let it: UnderTest
let admin: AnyClient
beforeAll(async () => {
  it = await underTest()
  const { code } = await it.cli('up', '--json')
  expect(code).toBe(0)
  admin = await httpClient(it, portOf('tool-execution'), 'v2')
  const source = {
    source: {
      type: 'javascript',
      code: "await tools.data.append_event({ stream: 'paid', type: 'done.paid', data: input }); return input.n * 2",
    },
    permissions: { tools: ['data.append_event'] },
  }
  const tool = { name: 'pay', version: '1.0.0', description: 'Pays.', input_schema: { type: 'object' } }
  await admin.callTool({ name: 'register_tool', arguments: { ...tool, ...source, requires_approval: true } })
})
afterAll(async () => {
  await admin.close()
  await it.dispose()
})

const portOf = (server: string) => manifests().find(({ name }) => name === server)?.port ?? 0

/** A client that can ask its person, as it declares. */
async function clientOf(server: string, era: Era, surface: Surface, person: Person): Promise<AnyClient> {
  const info = { name: `asking ${era}`, version: '1' }
  const capabilities = { elicitation: { form: {} } }
  const { command, args } = mcpJson()[server] as { command: string; args: string[] }
  const program = { command, args, cwd: root, env: it.env, stderr: 'ignore' as const }
  const url = new URL(`http://127.0.0.1:${it.base + portOf(server)}/mcp`)
  const requestInit = { headers: { authorization: `Bearer ${tokenOf(it)}` } }
  if (era === 'v1') {
    const client = new OldClient(info, { capabilities })
    client.setRequestHandler(ElicitRequestSchema, async ({ params }) => person(params.message) as never)
    const transport = surface === 'stdio' ? new OldStdioTransport(program) : new OldHttpTransport(url, { requestInit })
    await client.connect(transport as never)
    return client as unknown as AnyClient
  }
  const client = new Client(info, { capabilities, versionNegotiation: { mode: { pin: '2026-07-28' } } })
  client.setRequestHandler('elicitation/create', async ({ params }) => person(params.message) as never)
  const transport =
    surface === 'stdio' ? new StdioClientTransport(program) : new StreamableHTTPClientTransport(url, { requestInit })
  await client.connect(transport)
  return client as unknown as AnyClient
}

// biome-ignore lint/suspicious/noExplicitAny: results are looked into freely
type Loose = any
async function call(client: AnyClient, name: string, args: object): Promise<Loose> {
  return ((await client.callTool({ name, arguments: args as Record<string, unknown> })) as Loose).structuredContent
}

async function paid(): Promise<number[]> {
  const data = await httpClient(it, portOf('data'), 'v2')
  const { items } = await call(data, 'list_events', { stream: 'paid', limit: 200 })
  await data.close()
  return items.map(({ data: { n } }: Loose) => n).toSorted()
}

const approve: Person = () => ({ action: 'accept', content: { decision: 'approve', note: 'fine' } })
let n = 100

describe.each([
  ['v1', 'stdio'],
  ['v2', 'stdio'],
  ['v1', 'HTTP'],
  ['v2', 'HTTP'],
] as [Era, Surface][])('%s over %s', (era, surface) => {
  test('a person is asked in the call, sees what it is about, and the call has its outcome', async () => {
    const questions: string[] = []
    const client = await clientOf('tool-execution', era, surface, (message) => {
      questions.push(message)
      return approve(message)
    })
    n += 1
    const done = await call(client, 'invoke_tool', { tool: 'pay', arguments: { n } })
    expect(done.invocation).toMatchObject({ status: 'succeeded', output: n * 2 })
    expect(questions).toEqual([`May this be done? pay 1.0.0 with {"n":${n}}`])
    expect(done.approval).toMatchObject({ status: 'approved', note: 'fine' })
    expect((await paid()).filter((one) => one === n)).toEqual([n])
    await client.close()
  })

  test('denied, the call says so and nothing was done; not answered, it waits as before', async () => {
    const answers = [
      { action: 'accept', content: { decision: 'deny', note: 'no' } },
      { action: 'decline' },
      { action: 'cancel' },
    ]
    const client = await clientOf('tool-execution', era, surface, () => answers.shift() ?? { action: 'cancel' })
    n += 1
    const invoke = () => call(client, 'invoke_tool', { tool: 'pay', arguments: { n } })
    expect(await invoke()).toMatchObject({ invocation: { status: 'denied', error: { number: 'E0520' } } })
    for (let i = 0; i < 2; i++)
      expect(await invoke()).toMatchObject({
        invocation: { status: 'pending_approval' },
        approval: { status: 'pending' },
      })
    expect(answers).toEqual([])
    expect(await paid()).not.toContain(n)
    await client.close()
  })

  test('through the hub too, and by a script, which asks twice', async () => {
    const client = await clientOf('service-hub', era, surface, approve)
    n += 3
    const pay = { server: 'registered', tool: 'pay', arguments: { n } }
    expect((await call(client, 'call_tool', pay)).invocation).toMatchObject({ status: 'succeeded' })
    const code = `const one = await tools.tool_execution.invoke_tool({ tool: 'pay', arguments: { n: input.n - 1 } })
      const two = await tools.tool_execution.invoke_tool({ tool: 'pay', arguments: { n: input.n - 2 } })
      return [one.invocation.output, two.invocation.output]`
    const done = await call(client, 'run_script', { code, input: { n } })
    expect(done).toMatchObject({ status: 'succeeded', result: [(n - 1) * 2, (n - 2) * 2] })
    expect((await paid()).filter((one) => one <= n && one > n - 3)).toEqual([n - 2, n - 1, n])
    await client.close()
  })
})

test.each(['stdio', 'HTTP'] as Surface[])(
  'an older client over %s that fails to ask gets the parked call, in our words',
  async (surface) => {
    const client = await clientOf('tool-execution', 'v1', surface, () => {
      throw new Error('the window was closed')
    })
    n += 1
    const done = (await client.callTool({ name: 'invoke_tool', arguments: { tool: 'pay', arguments: { n } } })) as Loose
    expect(done.isError).not.toBe(true)
    expect(done.structuredContent.approval).toMatchObject({ status: 'pending', idempotency_key: expect.any(String) })
    expect(JSON.stringify(done)).not.toContain('window')
    await client.close()
  },
)

test('who can not be asked, or called in the background, gets the parked call at once', async () => {
  n += 1
  const mute = await call(admin, 'invoke_tool', { tool: 'pay', arguments: { n } })
  expect(mute).toMatchObject({ invocation: { status: 'pending_approval' }, approval: { question: expect.any(String) } })
  const client = await clientOf('tool-execution', 'v2', 'HTTP', () => {
    throw new Error('must not be asked')
  })
  const later = await call(client, 'invoke_tool', { tool: 'pay', arguments: { n }, mode: 'background' })
  expect(later.invocation.status).toBe('pending_approval')
  await client.close()
})

test('a state that this server did not give out is refused, and nothing is decided', async () => {
  n += 1
  const parked = await call(admin, 'invoke_tool', { tool: 'pay', arguments: { n } })
  const send = async (requestState: string) => {
    const params = {
      name: 'invoke_tool',
      arguments: { tool: 'pay', arguments: { n } },
      requestState,
      inputResponses: { decision: { action: 'accept', content: { decision: 'approve' } } },
      _meta: {
        'io.modelcontextprotocol/protocolVersion': '2026-07-28',
        'io.modelcontextprotocol/clientInfo': { name: 'raw', version: '1' },
        'io.modelcontextprotocol/clientCapabilities': { elicitation: {} },
      },
    }
    const response = await fetch(`http://127.0.0.1:${it.base + portOf('tool-execution')}/mcp`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        'mcp-protocol-version': '2026-07-28',
        'mcp-method': 'tools/call',
        'mcp-name': 'invoke_tool',
        authorization: `Bearer ${tokenOf(it)}`,
      },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params }),
    })
    return (await response.json()) as Loose
  }
  for (const state of ['', 'x', '{}', '{"approval_id":1,"idempotency_key":"k"}'])
    expect((await send(state)).error, state).toMatchObject({ code: -32602 })
  // Somebody else's approval under another key: the call it is answered with is another one, and stays undecided.
  const foreign = JSON.stringify({ approval_id: 'apr_nobody', idempotency_key: 'own' })
  expect((await send(foreign)).result.structuredContent.invocation.status).toBe('pending_approval')
  expect((await call(admin, 'get_invocation', { invocation_id: parked.invocation.id })).invocation.status).toBe(
    'pending_approval',
  )
})
