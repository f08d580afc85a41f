import { type Opened, open } from '@story-portal/shared/testing'
import { beforeAll, expect, test } from 'vitest'

let tools: Opened
beforeAll(async () => {
  tools = await open('tool-execution', { start: true })
  for (const version of ['1.0.0', '1.1.0', '2.0.0']) await register('old', version)
})

async function register(name: string, version: string, description = 'For tests.', code = 'return 1') {
  const source = { type: 'javascript', code }
  return await tools.call('register_tool', { name, version, description, input_schema: {}, source })
}

const invoke = (version?: string) => tools.call('invoke_tool', { tool: 'old', ...(version ? { version } : {}) })

test('a deprecated version answers with a warning, and an active one is preferred', async () => {
  const done = await tools.call('deprecate_tool', {
    tool: 'old',
    version: '^1.0.0',
    replacement: 'old ^2',
    reason: 'slow',
  })
  expect(done.items).toHaveLength(2)
  expect(done.items[0]).toMatchObject({ status: 'deprecated', deprecated_at: expect.any(String), sunset_at: null })
  expect(await invoke('^1.0.0')).toMatchObject({
    invocation: { output: 1, tool_version: '1.1.0' },
    deprecation: 'old 1.1.0 is deprecated. Use old ^2.',
  })
  expect(await invoke('*')).not.toHaveProperty('deprecation')
})

test('after its sunset it is refused by a word that names what to use, until it is restored', async () => {
  const sunset_at = '2021-01-01T00:00:00+01:00'
  await tools.call('deprecate_tool', { tool: 'old', version: '1.1.0', sunset_at, replacement: 'old ^2' })
  expect(await tools.callError('invoke_tool', { tool: 'old', version: '1.1.0' })).toMatchObject({
    code: 'NOT_FOUND',
    number: 'E3047',
    message: expect.stringContaining('2020-12-31T23:00:00.000Z'),
    hint: expect.stringContaining('Use old ^2.'),
  })
  // What is left of the range still answers.
  expect((await invoke('^1.0.0')).invocation['tool_version']).toBe('1.0.0')
  await tools.call('deprecate_tool', { tool: 'old', version: '1.1.0', restore: true })
  expect(await invoke('1.1.0')).not.toHaveProperty('deprecation')
})

test('what was recorded under a key is still the answer', async () => {
  await register('brief', '1.0.0')
  const args = { tool: 'brief', idempotency_key: 'k' }
  const first = await tools.call('invoke_tool', args)
  await tools.call('deprecate_tool', { tool: 'brief', sunset_at: '2999-01-01T00:00:00Z' })
  const again = await tools.call('invoke_tool', args)
  expect(again).toMatchObject({
    invocation: { id: first.invocation.id, replayed: true },
    deprecation: expect.stringContaining('There is no replacement.'),
  })
})

test.each([
  [{ tool: 'nobody' }, 'NOT_FOUND'],
  [{ tool: 'old', version: '^7' }, 'NOT_FOUND'],
  [{ tool: 'old', sunset_at: 'tomorrow' }, 'INVALID_INPUT'],
  [{ tool: 'old', restore: true, replacement: 'new' }, 'INVALID_INPUT'],
])('%j is refused', async (args, code) => {
  expect(await tools.callError('deprecate_tool', args)).toMatchObject({ code })
})
