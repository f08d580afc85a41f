import { open } from '@story-portal/shared/testing'
import { expect, test } from 'vitest'

const others = ['data', 'planning', 'tool-execution']

test.each([
  ['claim the next task', 'planning', 'claim_task'],
  ['history of a record', 'data', 'get_record_history'],
  ['run javascript code in a sandbox', 'tool-execution', 'run_code'],
  ['which servers are healthy', 'service-hub', 'list_layers'],
])('%s finds %s.%s', async (query, server, tool) => {
  const { call } = await open('service-hub', { with: others })
  const { items } = await call('search_tools', { query })
  expect(items.slice(0, 3)).toContainEqual({ server, tool, description: expect.stringMatching(/[.]$/) })
})

test('a registered tool is found under the server named registered, newest version, active ones only', async () => {
  const { call, callOn } = await open('service-hub', { with: others })
  await register(callOn, '1.2.0', 'Counts the words of a poem.')
  await register(callOn, '1.10.0', 'Counts the words of a poem, by line.')
  const { items } = await call('search_tools', { query: 'words in a poem', limit: 5 })
  expect(items).toContainEqual({
    server: 'registered',
    tool: 'count_words',
    description: 'Counts the words of a poem, by line.',
  })
  expect(items.filter((item: { tool: string }) => item.tool === 'count_words')).toHaveLength(1)
  const only = await call('search_tools', { query: 'poem', server: 'registered' })
  expect(only.items.map((item: { server: string }) => item.server)).toEqual(['registered'])
})

function register(
  callOn: (server: string, tool: string, args: object) => Promise<unknown>,
  version: string,
  description: string,
) {
  return callOn('tool-execution', 'register_tool', {
    name: 'count_words',
    version,
    description,
    input_schema: {
      type: 'object',
      properties: { text: { type: 'string' } },
      required: ['text'],
      additionalProperties: false,
    },
    source: { type: 'javascript', code: 'return { count: input.text.split(/\\s+/).length }' },
  })
}

test('a caller finds only what it may call', async () => {
  const { call } = await open('service-hub', { with: others, caller: { roles: ['reader'] } })
  const { items } = await call('search_tools', { query: 'create goal plan task record', limit: 50 })
  expect(items.map(({ tool }: { tool: string }) => tool)).not.toContain('create_goal')
  expect(items.map(({ tool }: { tool: string }) => tool)).toContain('get_goal')
})

test('one server, a limit, and a server that does not exist', async () => {
  const { call, callError } = await open('service-hub', { with: others })
  const { items } = await call('search_tools', { query: 'plan', server: 'planning', limit: 2 })
  expect(items).toHaveLength(2)
  expect(items.every(({ server }: { server: string }) => server === 'planning')).toBe(true)
  expect(await callError('search_tools', { query: 'plan', server: 'plannning' })).toMatchObject({
    number: 'E0010',
    hint: 'Did you mean planning?',
  })
})
