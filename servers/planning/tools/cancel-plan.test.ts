import { open } from '@story-portal/shared/testing'
import { expect, test } from 'vitest'

async function planned() {
  const opened = await open('planning', { with: ['runtime'] })
  const { goal } = await opened.call('create_goal', { title: 'A goal' })
  const tasks = [
    { key: 'a', kind: 'assistant' },
    { key: 'b', kind: 'assistant', depends_on: ['a'] },
  ]
  const { plan } = await opened.call('create_plan', { goal_id: goal.id, tasks })
  return { ...opened, plan_id: plan.id, goal_id: goal.id }
}

test('a cancelled plan cancels its tasks, its run and its goal', async () => {
  const { call, callOn, plan_id, goal_id } = await planned()
  const { run_id } = await call('run_plan', { plan_id, mode: 'background' })
  expect((await call('cancel_plan', { plan_id, reason: 'no longer needed' })).plan).toMatchObject({
    status: 'cancelled',
    progress: { cancelled: 2 },
  })
  const { tasks } = await call('get_plan', { plan_id })
  expect(tasks.map((task: { status: string }) => task.status)).toEqual(['cancelled', 'cancelled'])
  expect((await callOn('runtime', 'get_run', { run_id })).run).toMatchObject({ status: 'cancelled' })
  expect((await call('get_goal', { goal_id })).goal.status).toBe('cancelled')
})

test('a plan that never ran can be cancelled; one that ended can not', async () => {
  const { call, callError, plan_id } = await planned()
  expect((await call('cancel_plan', { plan_id })).plan.status).toBe('cancelled')
  expect(await callError('cancel_plan', { plan_id })).toMatchObject({ code: 'CONFLICT', number: 'E0606' })
  expect(await callError('run_plan', { plan_id })).toMatchObject({ code: 'CONFLICT', number: 'E0606' })
  expect(await callError('cancel_plan', { plan_id: 'pln_x' })).toMatchObject({ code: 'NOT_FOUND' })
})

test('a reader may not cancel plans', async () => {
  const { callError } = await open('planning', { caller: { roles: ['reader'] } })
  expect(await callError('cancel_plan', { plan_id: 'pln_x' })).toMatchObject({ code: 'DENIED' })
})
