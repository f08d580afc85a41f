import { type Opened, open } from '@story-portal/shared/testing'
import { beforeAll, expect, test } from 'vitest'

let tools: Opened
beforeAll(async () => {
  tools = await open('tool-execution', { start: true })
  for (const version of ['1.0.0', '1.1.0', '2.0.0']) await register('reader', version)
})

async function register(name: string, version: string, description = 'For tests.', code = 'return 1') {
  const source = { type: 'javascript', code }
  return await tools.call('register_tool', { name, version, description, input_schema: {}, source })
}

test('the highest version that fits, with its source and all versions', async () => {
  const found = await tools.call('get_registered_tool', { tool: 'reader', version: '^1.0.0' })
  expect(found.tool).toMatchObject({
    name: 'reader',
    version: '1.1.0',
    source: { type: 'javascript', code: 'return 1' },
  })
  expect(found.versions.map((one: { version?: unknown }) => one.version)).toEqual(['2.0.0', '1.1.0', '1.0.0'])
  expect(found).not.toHaveProperty('deprecation')
  expect(await tools.call('get_registered_tool', { tool: 'reader' })).toMatchObject({ tool: { version: '2.0.0' } })
})

test('a deprecated version is shown with what to use instead, also when its time is over', async () => {
  const sunset_at = '2020-01-01T00:00:00Z'
  await tools.call('deprecate_tool', { tool: 'reader', version: '1.0.0', sunset_at, replacement: 'reader ^2' })
  const found = await tools.call('get_registered_tool', { tool: 'reader', version: '1.0.0' })
  expect(found).toMatchObject({
    tool: { status: 'deprecated' },
    deprecation: expect.stringContaining('Use reader ^2.'),
  })
})

test.each([
  [{ tool: 'nobody' }, 'NOT_FOUND', 'E0004'],
  [{ tool: 'reader', version: '^9' }, 'NOT_FOUND', 'E3043'],
  [{ tool: 'reader', version: 'latest' }, 'INVALID_INPUT', undefined],
])('%j is refused', async (args, code, number) => {
  const error = await tools.callError('get_registered_tool', args)
  expect(error).toMatchObject({ code, ...(number ? { number } : {}) })
})
