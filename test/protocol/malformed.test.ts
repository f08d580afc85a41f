import type { ServerManifest } from '@story-portal/shared/mcp'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { harmlessTool, manifests } from '../e2e/under-test.ts'
import { type Mutant, mutants, type Schema } from './arguments.ts'
import {
  type Answer,
  agent,
  type Channel,
  headersFor,
  httpChannel,
  internalChannel,
  type Rpc,
  rpc,
} from './channels.ts'
import { type Case, CODES, codeOf, corpus, envelopeCorpus, FOREIGN_WORDS, headerCorpus, statusesOf } from './corpus.ts'
import { type PlatformProcess, startPlatformProcess } from './platform-process.ts'
import { sseChannel } from './sse-channel.ts'
import { stdioChannel } from './stdio-channel.ts'

/**
 * Malformed messages on every transport of every server: each is answered with its code and none of a third party's words, the next
 * good call works, the process lives, and nothing was written.
 * PROTOCOL_MESSAGES: how many per transport (default 1,000). PROPERTY_SEED: repeats a run. PROTOCOL_PATIENCE_S: what counts as a hang.
 */
const MESSAGES = Number(process.env['PROTOCOL_MESSAGES'] ?? 1_000)
const SEED = Number(process.env['PROPERTY_SEED'] ?? Math.floor(Math.random() * 2 ** 31))
const AT_ONCE = 16

let platform: PlatformProcess

beforeAll(async () => {
  platform = await startPlatformProcess()
  process.stderr.write(`malformed: PROPERTY_SEED=${SEED}\n`)
})
afterAll(() => platform.close())

const channels: [string, number, (server: string) => Channel | Promise<Channel>][] = [
  ['stdio 2026', MESSAGES / 2, (server) => stdioChannel(platform, server, 'modern')],
  ['stdio 2025', MESSAGES / 2, (server) => stdioChannel(platform, server, 'legacy')],
  ['HTTP 2026', MESSAGES, (server) => httpChannel(platform, server, 'modern')],
  ['HTTP 2025', MESSAGES, (server) => httpChannel(platform, server, 'legacy')],
  ['HTTP+SSE', MESSAGES, (server) => sseChannel(platform, server)],
  ['internal call', MESSAGES, (server) => internalChannel(platform, server)],
]

describe.each(manifests().map((manifest) => [manifest.name, manifest] as const))('%s', (server, manifest) => {
  test.each(channels)('%s', async (name, messages, open) => {
    const before = await platform.lastEvent()
    const channel = await open(server)
    const tool = cheapTool(manifest)
    const good = goodCalls(channel, tool)
    let count = 0
    if (name !== 'internal call') count += await byHand(channel, tool, good)
    count += await damaged(channel, tool, messages / 5)
    await good()
    count += await generated(channel, manifest, messages - count, good)
    await good()
    await channel.close()
    expect(platform.exitCode()).toBeUndefined()
    expect(platform.stderr()).toBe('')
    expect(await platform.lastEvent()).toBe(before)
    process.stderr.write(`malformed: ${server}, ${name}: ${count} messages\n`)
    expect(count).toBeGreaterThanOrEqual(messages)
  })
})

/** A list without arguments; the health of the data and the event log take longer, and are not what is tried here. */
function cheapTool(manifest: ServerManifest): string {
  const lists = manifest.tools.filter(({ name }) => /^list_(?!events)/.test(name))
  return harmlessTool({ ...manifest, tools: lists }) ?? harmlessTool(manifest) ?? ''
}

/** A good call that the tool must answer, under an id of its own. */
function goodCalls(channel: Channel, tool: string): () => Promise<void> {
  let id = 0
  return async () => {
    id += 1
    const answer = await channel.ask(rpc(channel.era, `good ${id}`, 'tools/call', { name: tool, arguments: {} }))
    const [message] = answer.messages
    expect(message?.result, answer.text).toBeDefined()
    expect(message.result.isError ?? false, answer.text).toBe(false)
  }
}

async function byHand(channel: Channel, tool: string, good: () => Promise<void>): Promise<number> {
  const overHttp = channel.name.startsWith('HTTP ')
  const cases = [
    ...corpus(channel.era, tool),
    ...(overHttp ? headerCorpus(channel.era, tool) : []),
    ...(channel.era === 'modern' ? envelopeCorpus(tool) : []),
  ]
  for (const one of cases) {
    const answer = await channel.next(one.bytes, { headers: one.headers, expectsMessage: one.verdict !== 'silent' })
    judge(channel, one, answer)
    await good()
  }
  return cases.length
}

function judge(channel: Channel, one: Case, answer: Answer): void {
  const said = `${channel.name}, ${one.name}: ${answer.status ?? ''} ${answer.text.slice(0, 600)}`
  expect(answer.text, said).not.toMatch(FOREIGN_WORDS)
  if (channel.name.startsWith('HTTP ')) expect(statusesOf(one), said).toContain(answer.status)
  else if (answer.status !== undefined) expect([200, 202, 400, 413], said).toContain(answer.status)
  if (one.httpOnly || one.verdict === 'silent') return
  if (one.verdict === 'served') expect(answer.messages[0]?.result, said).toBeDefined()
  else if (one.verdict === 'arguments') expectRefusedArguments(answer, said)
  else if (isOurBody(answer)) expect(answer.messages[0].error, said).toMatchObject(OUR_BODY)
  else expect(CODES[one.verdict], said).toContain(codeOf(answer))
}

const OUR_BODY = { code: 'INVALID_INPUT', number: expect.stringMatching(/^E\d{4}$/), hint: expect.stringMatching(/\w/) }

/** An HTTP refusal from before the message was looked at: no JSON-RPC answer, but the one error body of every surface. */
function isOurBody(answer: Answer): boolean {
  return answer.status !== undefined && answer.status >= 400 && typeof codeOf(answer) === 'string'
}

interface Fault {
  path: string
  message: string
}

function expectRefusedArguments(answer: Answer, said: string): Fault[] {
  const message: Rpc = answer.messages[0]
  const text = message?.result?.isError ? message.result.content[0].text : JSON.stringify({ error: message?.error })
  const { error } = JSON.parse(text)
  expect(error, said).toMatchObject(OUR_BODY)
  expect(answer.text, said).not.toMatch(FOREIGN_WORDS)
  expect(error.details?.faults?.length, said).toBeGreaterThan(0)
  return error.details.faults
}

/** Good messages with a few bytes changed: whatever comes of it, the answer is the protocol's. */
async function damaged(channel: Channel, tool: string, wanted: number): Promise<number> {
  const message = rpc(channel.era, 'd', 'tools/call', { name: tool, arguments: {} })
  const text = JSON.stringify(message)
  const headers = headersFor(channel.era, message)
  const edit = fc.tuple(
    fc.nat(text.length - 1),
    fc.constantFrom('"', '{', ']', '\\', '0', 'é', ':', '\u0001', '\0', ''),
  )
  const lines = fc.sample(
    fc
      .array(edit, { minLength: 1, maxLength: 4 })
      .map((edits) => edits.reduce((whole, [at, put]) => whole.slice(0, at) + put + whole.slice(at + 1), text)),
    { numRuns: wanted, seed: SEED },
  )
  for (const line of lines) {
    const answer = await channel.next(line, { headers, expectsMessage: false })
    if (answer.status !== undefined) expect(answer.status, line).toBeLessThan(500)
    expect(answer.text, line).not.toMatch(FOREIGN_WORDS)
  }
  return lines.length
}

/** Arguments made from each tool's own schema and broken in one place. */
async function generated(channel: Channel, manifest: ServerManifest, wanted: number, good: () => Promise<void>) {
  const one = fc.oneof(
    ...manifest.tools.map(({ name, inputSchema }) =>
      mutants(inputSchema as Schema).map((mutant) => ({ name, mutant })),
    ),
  )
  // The tasks of a plan are judged by the plan's own checker, after and apart from the arguments.
  const arbitrary = one.filter(({ mutant }) => !/^tasks\b/.test(mutant.path))
  const samples = fc.sample(arbitrary, { numRuns: wanted, seed: SEED })
  for (let start = 0; start < samples.length; start += AT_ONCE) {
    const some = samples.slice(start, start + AT_ONCE)
    await Promise.all(some.map(({ name, mutant }, i) => refused(channel, name, mutant, `${start + i}`)))
    await good()
  }
  return samples.length
}

async function refused(channel: Channel, tool: string, mutant: Mutant, id: string): Promise<void> {
  const answer = await channel.ask(rpc(channel.era, id, 'tools/call', { name: tool, arguments: mutant.args }))
  const sent = JSON.stringify(mutant.args)
  const said = `${channel.name}, ${tool}, ${mutant.what} at ${mutant.path}, PROPERTY_SEED=${SEED}: ${sent.slice(0, 400)} -> ${answer.text.slice(0, 600)}`
  const faults = expectRefusedArguments(answer, said)
  expect(
    faults.some(({ path }) => isNear(path, mutant.path)),
    said,
  ).toBe(true)
}

/** A fault may be told at the place itself, or at what holds it: `a[0].b` for `a.0.b`, `a` for a union below it. */
function isNear(told: string, path: string): boolean {
  const plain = told.replaceAll(/\[(\d+)\]/g, '.$1').replace(/…$/, '')
  return path.startsWith(plain) || plain.startsWith(path)
}

afterAll(() => agent.destroy())
