import { type Opened, open } from '@story-portal/shared/testing'
import { beforeAll, expect, test } from 'vitest'

let tools: Opened
beforeAll(async () => {
  tools = await open('tool-execution', { start: true })
  for (const version of ['1.0.0', '1.1.0']) await register('first', version)
  await register('second', '1.0.0')
})

async function register(name: string, version: string, description = 'For tests.', code = 'return 1') {
  const source = { type: 'javascript', code }
  return await tools.call('register_tool', { name, version, description, input_schema: {}, source })
}

test('versions by page, by name and by status, without schemas and source', async () => {
  const page = await tools.call('list_registered_tools', { limit: 2 })
  expect(page.items).toHaveLength(2)
  expect(page.items[0]).not.toHaveProperty('source')
  const rest = await tools.call('list_registered_tools', { limit: 2, cursor: page.next_cursor as string })
  expect(rest).toMatchObject({ items: [{}], next_cursor: null })
  const names = [...page.items, ...rest.items].map(({ name, version }) => `${name} ${version}`)
  expect(names.sort()).toEqual(['first 1.0.0', 'first 1.1.0', 'second 1.0.0'])
  await tools.call('deprecate_tool', { tool: 'first', version: '1.0.0' })
  const deprecated = await tools.call('list_registered_tools', { tool: 'first', status: 'deprecated' })
  expect(deprecated.items).toMatchObject([{ name: 'first', version: '1.0.0' }])
  expect((await tools.call('list_registered_tools', { tool: 'first', status: 'active' })).items).toHaveLength(1)
})

test('a cursor of another list is refused', async () => {
  const { next_cursor } = await tools.call('list_registered_tools', { limit: 1 })
  const error = await tools.callError('list_registered_tools', { tool: 'first', cursor: next_cursor as string })
  expect(error.number).toBe('E0014')
})
