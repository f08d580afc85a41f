import { PassThrough } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { Client } from '@modelcontextprotocol/client'
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio'
import { Client as OldClient } from '@modelcontextprotocol/sdk/client/index.js'
import { StdioClientTransport as OldTransport } from '@modelcontextprotocol/sdk/client/stdio.js'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { fixtureServer, open, silentLog } from '../testing/index.ts'
import { localBackend } from './backend.ts'
import { serveStdio } from './stdio.ts'

const ENTRY = fileURLToPath(new URL('../testing/fixture-stdio.ts', import.meta.url))
const spawned = { command: process.execPath, args: [ENTRY], stderr: 'ignore' as const }

async function modern(): Promise<Client> {
  const client = new Client({ name: 'new', version: '1' }, { versionNegotiation: { mode: { pin: '2026-07-28' } } })
  await client.connect(new StdioClientTransport(spawned))
  return client
}

async function legacy(): Promise<OldClient> {
  const client = new OldClient({ name: 'old', version: '1' })
  await client.connect(new OldTransport(spawned) as never)
  return client
}

test.each<[string, () => Promise<Client | OldClient>]>([
  ['v2', modern],
  ['v1', legacy],
])('a %s client that starts the process lists, calls, sees progress and cancels', async (_name, start) => {
  const client = await start()
  const call = (name: string, args: Record<string, unknown>, options: object = {}) =>
    client instanceof OldClient
      ? client.callTool({ name, arguments: args }, undefined, options)
      : client.callTool({ name, arguments: args }, options)
  expect((await client.listTools()).tools.map(({ name }) => name)).toContain('echo_value')
  expect(await call('echo_value', { value: 1 })).toMatchObject({
    structuredContent: { value: 1, subject: 'user:local' },
  })
  expect(await call('run_slowly', { steps: 3 })).toMatchObject({ structuredContent: { steps: 3 } })
  // Looked at while the call runs: the SDK's clients drop a progress that they read in one piece with the result.
  const seen: number[] = []
  const cancel = new AbortController()
  const onprogress = ({ progress }: { progress: number }) => {
    if (seen.push(progress) === 3) cancel.abort()
  }
  const running = call('run_slowly', { steps: 1000, step_ms: 20 }, { signal: cancel.signal, onprogress })
  await expect(running).rejects.toThrow()
  expect(seen.slice(0, 3)).toEqual([1, 2, 3])
  expect(await call('throw_coded', { id: 'n1' })).toMatchObject({ isError: true })
  await client.close()
})

/** One connection by hand: lines in, parsed lines out. */
async function connection(maxBytes = 100_000) {
  const { host, caller } = await open(fixtureServer())
  const [input, output] = [new PassThrough(), new PassThrough()]
  const server = host.servers.get('fixture')
  if (!server) throw new Error('no fixture')
  const handle = serveStdio(localBackend(host, server), { caller, log: silentLog, maxBytes, input, output })
  const answers: Answer[] = []
  let text = ''
  output.on('data', (chunk: Buffer) => {
    text += chunk.toString('utf8')
    const lines = text.split('\n')
    text = lines.pop() ?? ''
    for (const line of lines) answers.push(JSON.parse(line) as Answer)
  })
  const answerTo = (id: number | string) => answers.find((answer) => answer.id === id)
  const good = async (id: number | string) => {
    input.write(
      `${JSON.stringify({ jsonrpc: '2.0', id, method: 'tools/call', params: { name: 'echo_value', arguments: { value: id } } })}\n`,
    )
    await expect
      .poll(() => answerTo(id), { timeout: 5_000, interval: 2 })
      .toMatchObject({ result: { structuredContent: { value: id } } })
  }
  input.write(
    `${JSON.stringify({ jsonrpc: '2.0', id: 'init', method: 'initialize', params: { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'hand', version: '1' } } })}\n`,
  )
  await expect.poll(() => answerTo('init')).toMatchObject({ result: { protocolVersion: '2025-06-18' } })
  return { input, output, handle, answers, good }
}

interface Answer {
  jsonrpc: string
  id: unknown
  result?: unknown
  error?: { code: number; message: string; data?: { error: { number: string } } }
}

const deep = (depth: number) => '['.repeat(depth) + ']'.repeat(depth)
const corpus: [string, string | Buffer, number][] = [
  ['cut JSON', '{"jsonrpc":"2.0","id":1,"method":', -32700],
  ['not JSON', 'hello', -32700],
  ['not UTF-8', Buffer.from([0x22, 0xff, 0xfe, 0x22]), -32700],
  ['10,000 deep', deep(10_000), -32700],
  ['oversized', `"${'x'.repeat(100_001)}"`, -32600],
  ['batch', '[{"jsonrpc":"2.0","id":1,"method":"ping"}]', -32600],
  ['wrong version', '{"jsonrpc":"1.0","id":1,"method":"ping"}', -32600],
  ['no version', '{"id":1,"method":"ping"}', -32600],
  ['null id', '{"jsonrpc":"2.0","id":null,"method":"ping"}', -32600],
  ['fractional id', '{"jsonrpc":"2.0","id":1.5,"method":"ping"}', -32600],
  ['object id', '{"jsonrpc":"2.0","id":{},"method":"ping"}', -32600],
  ['number for a method', '{"jsonrpc":"2.0","id":1,"method":7}', -32600],
  ['a scalar', '42', -32600],
  ['null', 'null', -32600],
  ['unknown method', '{"jsonrpc":"2.0","id":"u","method":"tools/destroy"}', -32601],
  ['unknown tool', '{"jsonrpc":"2.0","id":"t","method":"tools/call","params":{"name":"nope"}}', -32602],
  ['a tool named __proto__', '{"jsonrpc":"2.0","id":"p","method":"tools/call","params":{"name":"__proto__"}}', -32602],
  ['no name', '{"jsonrpc":"2.0","id":"n","method":"tools/call","params":{}}', -32602],
  [
    'arguments of a wrong kind',
    '{"jsonrpc":"2.0","id":"a","method":"tools/call","params":{"name":"echo_value","arguments":[1]}}',
    -32602,
  ],
]

test('each malformed line is answered with its code, and the next good call works', async () => {
  const { input, good, answers } = await connection()
  for (const [name, line, code] of corpus) {
    const before = answers.length
    input.write(line)
    input.write('\n')
    await expect.poll(() => answers.length, { timeout: 5_000, interval: 2, message: name }).toBe(before + 1)
    expect(answers.at(-1), name).toMatchObject({ jsonrpc: '2.0', error: { code } })
    await good(`after ${name}`)
  }
})

test('what needs no answer gets none: empty lines, notifications, answers to nothing, a cancellation of nothing', async () => {
  const { input, good, answers } = await connection()
  const silent = [
    '',
    '   ',
    '{"jsonrpc":"2.0","method":"notifications/unknown"}',
    '{"jsonrpc":"2.0","id":99,"result":{}}',
    '{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":"never"}}',
  ]
  for (const line of silent) input.write(`${line}\n`)
  await good('after')
  expect(answers.map(({ id }) => id)).toEqual(['init', 'after'])
})

test('a message may come in any pieces', async () => {
  const { input, answers } = await connection()
  const line = Buffer.from(
    `${JSON.stringify({ jsonrpc: '2.0', id: 'é', method: 'tools/call', params: { name: 'echo_value', arguments: { value: 'zwölf €' } } })}\n`,
  )
  for (const byte of line) input.write(Buffer.from([byte]))
  await expect
    .poll(() => answers.at(-1))
    .toMatchObject({ id: 'é', result: { structuredContent: { value: 'zwölf €' } } })
})

test('random damage to good messages: every answer is JSON-RPC, nothing hangs, the next good call works', async () => {
  const { input, good, answers } = await connection()
  const message = JSON.stringify({
    jsonrpc: '2.0',
    id: 7,
    method: 'tools/call',
    params: { name: 'echo_value', arguments: { value: { a: [1, 'x'] } } },
  })
  const damage = fc.array(
    fc.tuple(fc.nat(message.length - 1), fc.constantFrom('"', '{', ']', '\\', '0', 'é', ':', '\u0001', '')),
    { minLength: 1, maxLength: 4 },
  )
  const lines = fc.sample(
    damage.map((edits) => edits.reduce((text, [at, put]) => text.slice(0, at) + put + text.slice(at + 1), message)),
    { numRuns: 1_000, seed: 20261123 },
  )
  for (const line of lines) input.write(`${line.replaceAll('\n', ' ')}\n`)
  await good('after all')
  for (const answer of answers) {
    expect(answer.jsonrpc).toBe('2.0')
    expect([answer.result, answer.error].filter((part) => part !== undefined)).toHaveLength(1)
    if (answer.error) expect([-32700, -32600, -32601, -32602]).toContain(answer.error.code)
  }
  expect(answers.length).toBeGreaterThan(500)
})

test('the connection ends with its input', async () => {
  const { input, handle } = await connection()
  input.end()
  await expect(handle.closed).resolves.toBeUndefined()
})
