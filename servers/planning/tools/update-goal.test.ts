import { open } from '@story-portal/shared/testing'
import { expect, test } from 'vitest'

async function goalAt(status?: string) {
  const opened = await open('planning')
  const { goal } = await opened.call('create_goal', { title: 'A goal' })
  if (status) await opened.call('update_goal', { goal_id: goal.id, status })
  return { ...opened, goal_id: goal.id }
}

test('a goal changes, and its version with it', async () => {
  const { call, goal_id } = await goalAt()
  const { goal } = await call('update_goal', {
    goal_id,
    title: 'A better goal',
    description: 'More',
    reason: 'clearer',
  })
  expect(goal).toMatchObject({ title: 'A better goal', description: 'More', version: 2, status: 'pending' })
})

test('a goal is begun and completed by hand, with its result', async () => {
  const { call, goal_id } = await goalAt('active')
  const { goal } = await call('update_goal', { goal_id, status: 'completed', result: { pages: 12 } })
  expect(goal).toMatchObject({ status: 'completed', result: { pages: 12 } })
})

test('a goal nobody began can be given up', async () => {
  const { call, goal_id } = await goalAt()
  expect((await call('update_goal', { goal_id, status: 'cancelled' })).goal.status).toBe('cancelled')
})

test('a state it can not reach, an old version and an unknown goal change nothing', async () => {
  const { call, callError, goal_id } = await goalAt()
  expect(await callError('update_goal', { goal_id, status: 'completed' })).toMatchObject({
    code: 'CONFLICT',
    number: 'E0013',
  })
  expect(await callError('update_goal', { goal_id, title: 'x', expected_version: 9 })).toMatchObject({
    number: 'E0012',
  })
  expect(await callError('update_goal', { goal_id: 'gol_x', title: 'x' })).toMatchObject({ code: 'NOT_FOUND' })
  expect((await call('get_goal', { goal_id })).goal).toMatchObject({ version: 1, status: 'pending', title: 'A goal' })
})

test('a goal with an open plan is not ended under it', async () => {
  const { call, callError, goal_id } = await goalAt()
  const { plan } = await call('create_plan', { goal_id, tasks: [{ key: 'a', kind: 'assistant' }] })
  await call('run_plan', { plan_id: plan.id, mode: 'background' })
  expect(await callError('update_goal', { goal_id, status: 'completed' })).toMatchObject({
    code: 'CONFLICT',
    number: 'E5007',
  })
  await call('cancel_plan', { plan_id: plan.id })
  expect((await call('get_goal', { goal_id })).goal.status).toBe('cancelled')
})

test('a validated plan of a goal that was given up does not run', async () => {
  const { call, callError, goal_id } = await goalAt()
  const { plan } = await call('create_plan', { goal_id, tasks: [{ key: 'a', kind: 'assistant' }] })
  await call('update_goal', { goal_id, status: 'cancelled' })
  expect(await callError('run_plan', { plan_id: plan.id, mode: 'background' })).toMatchObject({
    code: 'CONFLICT',
    number: 'E0606',
    message: expect.stringContaining('a goal that is cancelled'),
  })
  expect((await call('get_plan', { plan_id: plan.id })).plan.status).toBe('validated')
})

test('a goal that ends and its plan that begins at the same moment: only one of them happens', async () => {
  const { call, callError, goal_id } = await goalAt()
  const { plan } = await call('create_plan', { goal_id, tasks: [{ key: 'a', kind: 'assistant' }] })
  const asked = { plan_id: plan.id, mode: 'background' }
  const answers = await Promise.allSettled([
    call('update_goal', { goal_id, status: 'cancelled' }),
    call('run_plan', asked),
  ])
  expect(answers.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
  const ended = (await call('get_goal', { goal_id })).goal.status === 'cancelled'
  expect((await call('get_plan', { plan_id: plan.id })).plan.status).toBe(ended ? 'validated' : 'executing')
  expect(
    await callError(ended ? 'run_plan' : 'update_goal', ended ? asked : { goal_id, status: 'cancelled' }),
  ).toMatchObject({ code: 'CONFLICT' })
})

test('a reader may not change goals', async () => {
  const { callError } = await open('planning', { caller: { roles: ['reader'] } })
  expect(await callError('update_goal', { goal_id: 'gol_x', title: 'x' })).toMatchObject({ code: 'DENIED' })
})
