import { open } from '@story-portal/shared/testing'
import { expect, test } from 'vitest'

test('a goal comes with its plans', async () => {
  const { call } = await open('planning')
  const { goal } = await call('create_goal', { title: 'A goal' })
  const { plan } = await call('create_plan', {
    goal_id: goal.id,
    tasks: [{ key: 'a', kind: 'assistant' }],
  })
  const answer = await call('get_goal', { goal_id: goal.id })
  expect(answer.goal).toMatchObject({ id: goal.id, title: 'A goal' })
  expect(answer.plans).toMatchObject([{ id: plan.id, status: 'validated', tasks_total: 1 }])
})

test('an unknown goal, and one of another tenant, tell the caller what to do next', async () => {
  const { callError } = await open('planning')
  const elsewhere = await (await open('planning')).call('create_goal', { title: 'Theirs' })
  for (const goal_id of ['gol_x', elsewhere.goal.id]) {
    expect(await callError('get_goal', { goal_id })).toMatchObject({
      code: 'NOT_FOUND',
      message: `There is no goal ${goal_id}.`,
      hint: 'List ids with list_goals.',
    })
  }
})
