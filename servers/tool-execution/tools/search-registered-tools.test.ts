import { type Opened, open } from '@story-portal/shared/testing'
import { beforeAll, expect, test } from 'vitest'

let tools: Opened
beforeAll(async () => {
  tools = await open('tool-execution', { start: true })
  await register('csv_parse', '1.0.0', 'Turns CSV text into rows.')
  await register('csv_parse', '2.0.0', 'Turns CSV text into rows, with types.')
  await register('render_template', '1.0.0', 'Fills a template with values.')
  await register('sha_digest', '1.0.0', 'Computes a SHA-256 hash of a text.')
})

async function register(name: string, version: string, description = 'For tests.', code = 'return 1') {
  const source = { type: 'javascript', code }
  return await tools.call('register_tool', { name, version, description, input_schema: {}, source })
}

const names = async (query: string, more: object = {}) =>
  (await tools.call('search_registered_tools', { query, ...more })).items.map((item: { tool: string }) => item.tool)

test('by words and by likeness, one hit per tool, its newest version', async () => {
  const found = await tools.call('search_registered_tools', { query: 'turn csv into rows' })
  expect(found.items[0]).toMatchObject({ tool: 'csv_parse', version: '2.0.0', found_by: ['words', 'likeness'] })
  expect(found.items.filter((item: { tool: string }) => item.tool === 'csv_parse')).toHaveLength(1)
  expect(found.embedding_model).toBe('hash-256-v1')
})

test('other forms and slips of the pen are found by likeness alone', async () => {
  expect((await names('templating'))[0]).toBe('render_template')
  expect((await names('csvparser'))[0]).toBe('csv_parse')
  expect((await names('hashs'))[0]).toBe('sha_digest')
})

test('words of the search language are words here', async () => {
  expect(await names('"csv" -rows & | ! ( :*')).toContain('csv_parse')
  expect(await names('!!! ???')).toEqual([])
})

test('deprecated tools only when asked for', async () => {
  await tools.call('deprecate_tool', { tool: 'sha_digest', replacement: 'digest' })
  expect(await names('hash of a text')).not.toContain('sha_digest')
  expect(await names('hash of a text', { include_deprecated: true })).toContain('sha_digest')
  await tools.call('deprecate_tool', { tool: 'sha_digest', restore: true })
  expect(await names('hash of a text')).toContain('sha_digest')
})
