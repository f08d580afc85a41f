import { open } from '@story-portal/shared/testing'
import { expect, test } from 'vitest'

test('a record comes back whole, and its event with it', async () => {
  const { call, caller } = await open('data')
  const { record } = await call('create_record', { kind: 'goal', data: { title: 'Ship it' }, reason: 'asked for' })
  expect(record).toMatchObject({ version: 1, title: 'Ship it', status: 'pending', created_by: caller.subject })
  const { items } = await call('list_events', { stream: `goal/${record.id}` })
  expect(items).toHaveLength(1)
  expect(items[0]).toMatchObject({ type: 'goal.created', version: 1, data: { record, reason: 'asked for' } })
})

test('every kind that people make can be made', async () => {
  const { call } = await open('data')
  const make = async (kind: string, data: object) => (await call('create_record', { kind, data })).record
  const agent = await make('agent', { name: 'Ada', granted_tools: ['data.get_record'] })
  expect(agent).toMatchObject({ id: expect.stringMatching(/^agt_/), status: 'created' })
  expect(await make('session', { agent_id: agent.id })).toMatchObject({ status: 'active', agent_id: agent.id })
  expect(await make('evaluation', { target_kind: 'run', target_id: 'run_1', score: 0.5 })).toMatchObject({ score: 0.5 })
  expect(await make('feedback', { target_kind: 'run', target_id: 'run_1', rating: 1 })).toMatchObject({ rating: 1 })
})

test.each([
  ['an unknown kind', { kind: 'wish', data: {} }, 'INVALID_INPUT', 'kind'],
  ['an unknown field', { kind: 'goal', data: { title: 'x', owner: 'y' } }, 'INVALID_INPUT', 'data.owner'],
  ['a missing field', { kind: 'goal', data: {} }, 'INVALID_INPUT', 'data.title'],
  ['a wrong type', { kind: 'goal', data: { title: 5 } }, 'INVALID_INPUT', 'data.title'],
  ['an unknown state', { kind: 'goal', data: { title: 'x', status: 'done' } }, 'INVALID_INPUT', 'data.status'],
  [
    'a state to begin with that is none',
    { kind: 'goal', data: { title: 'x', status: 'failed' } },
    'INVALID_INPUT',
    'data.status',
  ],
  ['NUL in text', { kind: 'goal', data: { title: 'a\0b' } }, 'INVALID_INPUT', 'data.title'],
  [
    'half a surrogate pair',
    { kind: 'goal', data: { title: 'x', labels: { a: '\ud800' } } },
    'INVALID_INPUT',
    'data.labels.a',
  ],
  ['a reference to nothing', { kind: 'session', data: { agent_id: 'agt_x' } }, 'NOT_FOUND', 'data.agent_id'],
  ['a kind with tools of its own', { kind: 'task', data: {} }, 'CONFLICT', 'kind'],
])('%s is refused with its path and changes nothing', async (_name, args, code, path) => {
  const { call, callError } = await open('data')
  const error = await callError('create_record', args)
  expect(error).toMatchObject({
    code,
    details: { faults: expect.arrayContaining([expect.objectContaining({ path })]) },
  })
  expect(error.hint).not.toBe('')
  expect((await call('list_events')).items).toEqual([])
})

test('the same key is carried out once', async () => {
  const { call, callError } = await open('data')
  const args = { kind: 'goal', data: { title: 'once' }, idempotency_key: 'k1' }
  const [first, again] = [await call('create_record', args), await call('create_record', args)]
  expect(again.record).toEqual(first.record)
  expect((await call('list_records', { kind: 'goal' })).items).toHaveLength(1)
  expect(await callError('create_record', { ...args, data: { title: 'twice' } })).toMatchObject({ number: 'E0015' })
})

test('a reader may not', async () => {
  const { callError } = await open('data', { caller: { roles: ['reader'] } })
  expect(await callError('create_record', { kind: 'goal', data: { title: 'x' } })).toMatchObject({ code: 'DENIED' })
})
