import { open } from '@story-portal/shared/testing'
import { expect, test } from 'vitest'

test('a goal is created pending, at version 1, and told to its stream', async () => {
  const { call, callOn } = await open('planning', { with: ['data'] })
  const { goal } = await call('create_goal', {
    title: 'Publish the report',
    description: 'For the board',
    constraints: { before: '2026-12-01', sources: ['wiki'] },
  })
  expect(goal).toMatchObject({
    status: 'pending',
    version: 1,
    completes_with: 'plan',
    constraints: { before: '2026-12-01' },
  })
  const { items } = await callOn('data', 'list_events', { stream: `goal/${goal.id}` })
  expect(items).toMatchObject([{ type: 'goal.created', version: 1 }])
})

test('the same key creates one goal', async () => {
  const { call, callError } = await open('planning')
  const first = await call('create_goal', { title: 'Once', idempotency_key: 'k1' })
  const second = await call('create_goal', { title: 'Once', idempotency_key: 'k1' })
  expect(second.goal.id).toBe(first.goal.id)
  expect((await call('list_goals')).items).toHaveLength(1)
  const other = await callError('create_goal', { title: 'Twice', idempotency_key: 'k1' })
  expect(other).toMatchObject({ code: 'CONFLICT', number: 'E0015' })
})

test('a goal without a title, or with a field nobody knows, is refused with the path', async () => {
  const { call, callError } = await open('planning')
  const empty = await callError('create_goal', { title: '  ' })
  expect(empty).toMatchObject({ code: 'INVALID_INPUT', details: { faults: [{ path: 'title' }] } })
  const unknown = await callError('create_goal', { title: 'A goal', descripton: 'x' })
  expect(unknown.details?.faults).toMatchObject([{ path: 'descripton', hint: 'Did you mean description?' }])
  expect((await call('list_goals')).items).toEqual([])
})

test('a reader may not create goals', async () => {
  const { callError } = await open('planning', { caller: { roles: ['reader'] } })
  expect(await callError('create_goal', { title: 'A goal' })).toMatchObject({ code: 'DENIED' })
})
