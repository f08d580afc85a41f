import { open } from '@story-portal/shared/testing'
import { expect, test } from 'vitest'

const goal = (more: object = {}) => ({
  server: 'planning',
  tool: 'create_goal',
  arguments: { title: 'Ship it' },
  ...more,
})

test("the tool's own result comes back unchanged", async () => {
  const { call, callOn } = await open('service-hub', { with: ['planning'] })
  const made = await call('call_tool', goal())
  expect(made).toMatchObject({ goal: { id: expect.stringMatching(/^gol_/), title: 'Ship it' } })
  const args = { goal_id: made.goal.id }
  expect(await call('call_tool', { server: 'planning', tool: 'get_goal', arguments: args })).toEqual(
    await callOn('planning', 'get_goal', args),
  )
})

test("the tool's own error comes back unchanged", async () => {
  const { callError, host, caller } = await open('service-hub', { with: ['planning'] })
  const wrong = { server: 'planning', tool: 'create_goal', arguments: { titel: 'x' } }
  const direct = await host.call('planning', 'create_goal', { titel: 'x' }, { caller }).catch((error) => error)
  expect(await callError('call_tool', wrong)).toMatchObject({
    number: 'E0001',
    message: direct.message,
    details: direct.details,
  })
  expect(await callError('call_tool', { ...wrong, tool: 'create_gaol' })).toMatchObject({ number: 'E0009' })
  expect(await callError('call_tool', { ...wrong, server: 'planing' })).toMatchObject({ number: 'E0010' })
})

test('the idempotency_key passes through: one goal for two calls, other arguments are a conflict', async () => {
  const { call, callError, callOn } = await open('service-hub', { with: ['planning'] })
  const first = await call('call_tool', goal({ idempotency_key: 'k1' }))
  expect(await call('call_tool', goal({ idempotency_key: 'k1' }))).toEqual(first)
  expect((await callOn('planning', 'list_goals')).items).toHaveLength(1)
  const other = goal({ idempotency_key: 'k1', arguments: { title: 'Another' } })
  expect(await callError('call_tool', other)).toMatchObject({ number: 'E0015' })
})

test('a caller may do through the hub what it may do directly, and nothing more', async () => {
  const { callError } = await open('service-hub', {
    with: ['planning'],
    caller: { scopes: ['service-hub:*', 'planning:read'] },
  })
  expect(await callError('call_tool', goal())).toMatchObject({
    code: 'DENIED',
    message: expect.stringContaining('planning.create_goal'),
  })
  const reader = await open('service-hub', { with: ['planning'], caller: { roles: ['reader'] } })
  expect(await reader.callError('call_tool', goal())).toMatchObject({
    code: 'DENIED',
    message: expect.stringContaining('call_tool'),
  })
})

test('a registered tool is called by its name', async () => {
  const { call, callOn } = await open('service-hub', { with: ['tool-execution'], start: true })
  await callOn('tool-execution', 'register_tool', {
    name: 'add_numbers',
    version: '1.0.0',
    description: 'Adds two numbers.',
    input_schema: {
      type: 'object',
      properties: { a: { type: 'number' }, b: { type: 'number' } },
      required: ['a', 'b'],
    },
    source: { type: 'javascript', code: 'return { sum: input.a + input.b }' },
  })
  const guessed = await call('call_tool', { server: 'tool-execution', tool: 'add_numbers', arguments: { a: 1, b: 1 } })
  expect(guessed).toMatchObject({ invocation: { status: 'succeeded' } })
  const { definition } = await call('get_tool_definition', { server: 'tool-execution', tool: 'add_numbers' })
  expect(definition).toMatchObject({ server: 'registered', tool: 'add_numbers' })
  const answer = await call('call_tool', { server: 'registered', tool: 'add_numbers', arguments: { a: 2, b: 3 } })
  expect(answer).toMatchObject({ invocation: { status: 'succeeded', output: { sum: 5 } } })
})
