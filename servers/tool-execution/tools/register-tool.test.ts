import { type Opened, open } from '@story-portal/shared/testing'
import { beforeAll, expect, test } from 'vitest'

let tools: Opened
beforeAll(async () => {
  tools = await open('tool-execution', { start: true })
})

const wordCount = {
  name: 'word_count',
  version: '1.0.0',
  description: 'Counts words.',
  input_schema: {
    type: 'object',
    properties: { text: { type: 'string' } },
    required: ['text'],
    additionalProperties: false,
  },
  output_schema: { type: 'object', properties: { words: { type: 'integer' } }, required: ['words'] },
  source: { type: 'javascript', code: 'return { words: input.text.split(/\\s+/).filter(Boolean).length }' },
}

test('a version is registered once and never changes', async () => {
  const { tool } = await tools.call('register_tool', wordCount)
  expect(tool).toMatchObject({
    name: 'word_count',
    version: '1.0.0',
    status: 'active',
    effect: 'pure',
    requires_approval: false,
  })
  expect(tool.source_hash).toMatch(/^[0-9a-f]{64}$/)
  const again = await tools.callError('register_tool', { ...wordCount, description: 'Another.' })
  expect(again).toMatchObject({ code: 'CONFLICT', number: 'E3041' })
  const next = await tools.call('register_tool', { ...wordCount, version: '1.1.0-rc.1' })
  expect(next.tool.version).toBe('1.1.0-rc.1')
})

test('a repeated registration under one key is one', async () => {
  const args = { ...wordCount, name: 'with_key', idempotency_key: 'r1' }
  const first = await tools.call('register_tool', args)
  expect((await tools.call('register_tool', args)).tool.id).toBe(first.tool.id)
})

test('a tool written in TypeScript is checked and run as such', async () => {
  const source = { type: 'javascript', language: 'typescript', code: 'const n: number = input.n; return n + 1' }
  const input_schema = { type: 'object', properties: { n: { type: 'integer' } } }
  await tools.call('register_tool', { ...wordCount, name: 'typed', input_schema, output_schema: undefined, source })
  const { invocation } = await tools.call('invoke_tool', { tool: 'typed', arguments: { n: 41 } })
  expect(invocation).toMatchObject({ status: 'succeeded', output: 42 })
  const plain = { ...source, language: 'javascript' }
  expect(await tools.callError('register_tool', { ...wordCount, name: 'untyped', source: plain })).toMatchObject({
    number: 'E3002',
  })
  const strange = { ...source, language: 'python' }
  expect(await tools.callError('register_tool', { ...wordCount, name: 'strange', source: strange })).toMatchObject({
    details: { faults: [{ path: 'source.language' }] },
  })
})

test('a tool with permissions is journaled', async () => {
  const args = { ...wordCount, name: 'reaching', permissions: { tools: ['data.*'] }, limits: { timeout_ms: 1000 } }
  const { tool } = await tools.call('register_tool', args)
  expect(tool).toMatchObject({ effect: 'journaled', permissions: { tools: ['data.*'] }, limits: { timeout_ms: 1000 } })
})

test.each([
  ['code that does not parse', { source: { type: 'javascript', code: 'return 1\nlet = ;' } }, 'E3002', { line: 2 }],
  ['no code', { source: { type: 'javascript' } }, 'E0001', { faults: [{ path: 'source.code' }] }],
  [
    'an address as a source',
    { source: { type: 'http', url: 'https://example.com' } },
    'E0001',
    { faults: [{ path: 'source.url' }] },
  ],
  ['no upstream tool', { source: { type: 'mcp' } }, 'E0001', { faults: [{ path: 'source.tool' }] }],
  ['an upstream tool that is not there', { source: { type: 'mcp', tool: 'nobody_nothing' } }, 'E0004', undefined],
  ['a version that is none', { version: '1.0.0.0' }, 'E0001', { faults: [{ path: 'version' }] }],
  ['a schema that is none', { input_schema: { type: 'text' } }, 'E3040', { faults: [{ path: 'input_schema.type' }] }],
  ['a schema that refers to itself', { input_schema: { $ref: '#' } }, 'E3040', { faults: [{ path: 'input_schema' }] }],
  [
    'an output schema with an evil pattern',
    { output_schema: { pattern: '(a+)+$' } },
    'E3040',
    { faults: [{ path: 'output_schema' }] },
  ],
])('%s is refused, and nothing is registered', async (_name, change, number, details) => {
  const error = await tools.callError('register_tool', { ...wordCount, name: 'refused', ...change })
  expect(error).toMatchObject({ number, ...(details ? { details } : {}) })
  expect(await tools.callError('invoke_tool', { tool: 'refused' })).toMatchObject({ code: 'NOT_FOUND' })
})

test.each([
  [{ name: 'Bad Name' }, 'name'],
  [{ name: 'data.get_record' }, 'name'],
  [{ description: '' }, 'description'],
  [{ source: { type: 'shell', code: 'ls' } }, 'source.type'],
  [{ permissions: { tools: ['nothing'] } }, 'permissions.tools[0]'],
  [{ extra: 1 }, 'extra'],
])('bad arguments name their path: %j', async (change, path) => {
  const error = await tools.callError('register_tool', { ...wordCount, ...change })
  expect(error).toMatchObject({ code: 'INVALID_INPUT' })
  expect(error.details?.faults?.map((fault) => fault.path)).toContain(path)
})

test('a schema of 10 MB is refused', async () => {
  const error = await tools.callError('register_tool', {
    ...wordCount,
    input_schema: { description: 'x'.repeat(10_000_000) },
  })
  expect(['INVALID_INPUT', 'LIMIT_EXCEEDED']).toContain(error.code)
})

test('a reader may not register', async () => {
  const reader = await open('tool-execution', { caller: { roles: ['reader'] } })
  expect(await reader.callError('register_tool', wordCount)).toMatchObject({ code: 'DENIED' })
})
