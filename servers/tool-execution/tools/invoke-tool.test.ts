import { type Opened, open } from '@story-portal/shared/testing'
import { beforeAll, expect, test } from 'vitest'

let tools: Opened
beforeAll(async () => {
  tools = await open('tool-execution', { start: true })
  for (const version of ['1.0.0', '1.2.0', '2.0.0', '3.0.0-rc.1'])
    await register('greet', version, `return "${version} " + input.name`)
  await register('random', '1.0.0', 'return Math.random()', { input_schema: {} })
  await register('broken', '1.0.0', 'throw new Error("no " + input.name)')
  await register('wrong_output', '1.0.0', 'return { a: 1 }')
  await register('asking', '1.0.0', 'return 1', { requires_approval: true, input_schema: {} })
  await register('reaching', '1.0.0', 'return (await tools.tool_execution.run_code({ code: "return 5" })).result', {
    input_schema: {},
    output_schema: { type: 'integer' },
    permissions: { tools: ['tool-execution.run_code'] },
  })
})

async function register(name: string, version: string, code: string, more: object = {}) {
  await tools.call('register_tool', {
    name,
    version,
    description: 'For tests.',
    input_schema: { type: 'object', properties: { name: { type: 'string', maxLength: 10 } }, required: ['name'] },
    source: { type: 'javascript', code },
    ...(name === 'wrong_output' ? { output_schema: { type: 'string' } } : {}),
    ...more,
  })
}

const ann = { arguments: { name: 'Ann' } }

test.each([
  [undefined, '2.0.0 Ann'],
  ['1.0.0', '1.0.0 Ann'],
  ['^1.0.0', '1.2.0 Ann'],
  ['1.x', '1.2.0 Ann'],
  ['<2', '1.2.0 Ann'],
  ['3.0.0-rc.1', '3.0.0-rc.1 Ann'],
])('version %s runs the highest that fits', async (version, output) => {
  const { invocation } = await tools.call('invoke_tool', { tool: 'greet', ...(version ? { version } : {}), ...ann })
  expect(invocation).toMatchObject({
    status: 'succeeded',
    output,
    error: null,
    replayed: false,
    kind: 'tool',
    tool: 'greet',
  })
  expect(invocation).not.toHaveProperty('lease_token')
})

test('the same key gives the recorded result, also after a newer version was registered', async () => {
  await register('later', '1.0.0', 'return 1')
  const args = { tool: 'later', ...ann, idempotency_key: 'k1' }
  const first = await tools.call('invoke_tool', args)
  await register('later', '1.1.0', 'return 2')
  const second = await tools.call('invoke_tool', args)
  expect(second.invocation).toMatchObject({ id: first.invocation.id, output: 1, replayed: true, tool_version: '1.0.0' })
  expect(await tools.callError('invoke_tool', { ...args, arguments: { name: 'Bob' } })).toMatchObject({
    number: 'E0015',
  })
  expect(await tools.callError('invoke_tool', { ...args, tool: 'greet' })).toMatchObject({ number: 'E0015' })
})

test('many calls at once under one key run the tool once', async () => {
  const args = { tool: 'random', idempotency_key: 'k2' }
  const all = await Promise.all(Array.from({ length: 8 }, () => tools.call('invoke_tool', args)))
  expect(new Set(all.map(({ invocation }) => invocation.output)).size).toBe(1)
})

test('a tool that throws is an invocation that failed, with the error of the code', async () => {
  const { invocation } = await tools.call('invoke_tool', { tool: 'broken', ...ann })
  expect(invocation).toMatchObject({
    status: 'failed',
    output: null,
    error: { number: 'E3001', message: 'The code threw Error: no Ann' },
  })
})

test('a result that does not fit its schema is a failure of the tool', async () => {
  const { invocation } = await tools.call('invoke_tool', { tool: 'wrong_output', ...ann })
  expect(invocation).toMatchObject({
    status: 'failed',
    error: { number: 'E3045', details: { faults: [{ path: 'output' }] } },
  })
})

test('a tool calls what its own permissions grant', async () => {
  const { invocation } = await tools.call('invoke_tool', { tool: 'reaching' })
  expect(invocation).toMatchObject({ status: 'succeeded', output: 5, effect: 'journaled' })
})

test.each([
  ['an unknown tool', { tool: 'nowhere' }, 'NOT_FOUND', 'E0004'],
  ['a version nobody registered', { tool: 'greet', version: '^9', ...ann }, 'NOT_FOUND', 'E3043'],
  [
    'a range that is none',
    { tool: 'greet', version: 'latest', ...ann },
    'INVALID_INPUT',
    expect.stringMatching(/^E05/),
  ],
  ['a missing argument', { tool: 'greet', arguments: {} }, 'INVALID_INPUT', 'E3044'],
  ['an argument that is too long', { tool: 'greet', arguments: { name: 'x'.repeat(11) } }, 'INVALID_INPUT', 'E3044'],
])('%s is refused before anything runs', async (_name, args, code, number) => {
  const before = (await tools.call('list_invocations', {})).items.length
  expect(await tools.callError('invoke_tool', args)).toMatchObject({ code, number })
  expect((await tools.call('list_invocations', {})).items).toHaveLength(before)
})

test('a tool that needs an approval is parked under its key', async () => {
  const key = { idempotency_key: 'asking' }
  const { invocation, approval } = await tools.call('invoke_tool', { tool: 'asking', ...key })
  expect(invocation).toMatchObject({ status: 'pending_approval', output: null, fence: 0 })
  expect(approval).toMatchObject({ id: expect.stringMatching(/^apr_/), status: 'pending' })
  expect(await tools.callError('invoke_tool', { tool: 'asking', ...key, arguments: { a: 1 } })).toMatchObject({
    number: 'E0015',
  })
})

test('the fault of an argument has its path', async () => {
  const error = await tools.callError('invoke_tool', { tool: 'greet', arguments: { name: 5 } })
  expect(error.details?.faults).toEqual([{ path: 'arguments.name', message: 'must be of type string' }])
})

test('in the background it returns at once and ends later', async () => {
  const { invocation } = await tools.call('invoke_tool', { tool: 'greet', ...ann, mode: 'background' })
  expect(invocation).toMatchObject({ status: 'pending', output: null })
  const read = async () => (await tools.call('get_invocation', { invocation_id: invocation.id })).invocation
  await expect.poll(async () => (await read()).status, { timeout: 30_000 }).toBe('succeeded')
  expect((await read()).output).toBe('2.0.0 Ann')
})

test('a reader may not invoke', async () => {
  const reader = await open('tool-execution', { caller: { roles: ['reader'], tenant_id: tools.tenant } })
  expect(await reader.callError('invoke_tool', { tool: 'greet', ...ann })).toMatchObject({ code: 'DENIED' })
})
