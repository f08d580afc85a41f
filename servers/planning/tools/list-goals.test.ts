import { open } from '@story-portal/shared/testing'
import { expect, test } from 'vitest'

test('goals come in pages, latest first, by status and by words', async () => {
  const { call } = await open('planning')
  const titles = ['Write the handbook', 'Review the handbook', 'Paint the fence']
  for (const title of titles) await call('create_goal', { title })
  const first = await call('list_goals', { limit: 2 })
  const second = await call('list_goals', { limit: 2, cursor: first.next_cursor })
  const shown = [...first.items, ...second.items].map((goal) => goal.title)
  expect(shown.sort()).toEqual([...titles].sort())
  expect(second.next_cursor).toBeNull()
  const found = await call('list_goals', { query: 'handbook' })
  expect(found.items).toHaveLength(2)
  expect((await call('list_goals', { status: 'completed' })).items).toEqual([])
})

test('a cursor that is not ours, or of another list, is refused', async () => {
  const { call, callError } = await open('planning')
  for (const title of ['a', 'b']) await call('create_goal', { title })
  const { next_cursor } = await call('list_goals', { limit: 1 })
  expect(await callError('list_goals', { cursor: 'made-up' })).toMatchObject({ number: 'E0014' })
  expect(await callError('list_goals', { status: 'active', cursor: next_cursor })).toMatchObject({ number: 'E0014' })
  expect((await call('list_goals', { limit: 1, cursor: next_cursor })).items).toHaveLength(1)
})

test('an unknown status names the known ones', async () => {
  const { callError } = await open('planning')
  const error = await callError('list_goals', { status: 'activ' })
  expect(error.details?.faults).toMatchObject([
    { path: 'status', message: 'must be one of pending, active, completed, failed, cancelled' },
  ])
})
