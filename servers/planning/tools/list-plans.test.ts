import { open } from '@story-portal/shared/testing'
import { expect, test } from 'vitest'

test('plans come by goal and by status, in pages', async () => {
  const { call } = await open('planning')
  const goals = await Promise.all(['a', 'b'].map(async (title) => (await call('create_goal', { title })).goal.id))
  for (const goal_id of [goals[0], goals[0], goals[1]]) {
    await call('create_plan', { goal_id, tasks: [{ key: 'a', kind: 'assistant' }] })
  }
  const mine = await call('list_plans', { goal_id: goals[0] })
  expect(mine.items).toHaveLength(2)
  expect(mine.items[0]).toMatchObject({ goal_id: goals[0], status: 'validated', revision: 1, tasks_total: 1 })
  await call('run_plan', { plan_id: mine.items[0].id, mode: 'background' })
  expect((await call('list_plans', { status: 'executing' })).items.map((p: { id: string }) => p.id)).toEqual([
    mine.items[0].id,
  ])
  const page = await call('list_plans', { limit: 2 })
  expect((await call('list_plans', { limit: 2, cursor: page.next_cursor })).items).toHaveLength(1)
})

test('plans of another tenant are not seen, and a wrong status is refused', async () => {
  const other = await open('planning')
  const { goal } = await other.call('create_goal', { title: 'Theirs' })
  await other.call('create_plan', { goal_id: goal.id, tasks: [{ key: 'a', kind: 'assistant' }] })
  const { call, callError } = await open('planning')
  expect((await call('list_plans')).items).toEqual([])
  expect(await callError('list_plans', { status: 'done' })).toMatchObject({ code: 'INVALID_INPUT' })
})
