import { open } from '@story-portal/shared/testing'
import { expect, test } from 'vitest'

async function running() {
  const opened = await open('runtime', { with: ['planning'] })
  const { goal } = await opened.callOn('planning', 'create_goal', { title: 'A goal' })
  const { plan } = await opened.callOn('planning', 'create_plan', {
    goal_id: goal.id,
    tasks: [{ key: 'a', kind: 'assistant' }],
  })
  const { run_id } = await opened.callOn('planning', 'run_plan', { plan_id: plan.id, mode: 'background' })
  return { ...opened, plan_id: plan.id, run_id }
}

test('a cancelled run cancels its plan, and says why in the story', async () => {
  const { call, callOn, run_id, plan_id } = await running()
  expect((await call('cancel_run', { run_id, reason: 'wrong goal' })).run.status).toBe('cancelled')
  expect((await callOn('planning', 'get_plan', { plan_id })).plan.status).toBe('cancelled')
  const { timeline } = await call('get_run', { run_id })
  expect(timeline.at(-1)).toMatchObject({ what: 'plan', to: 'cancelled', reason: 'wrong goal' })
})

test('a run that ended can not be cancelled, an unknown one is NOT_FOUND', async () => {
  const { call, callError, run_id } = await running()
  await call('cancel_run', { run_id })
  expect(await callError('cancel_run', { run_id })).toMatchObject({ code: 'CONFLICT', number: 'E2002' })
  expect(await callError('cancel_run', { run_id: 'run_x' })).toMatchObject({ code: 'NOT_FOUND' })
})

test('a reader may not cancel runs', async () => {
  const { callError } = await open('runtime', { caller: { roles: ['reader'] } })
  expect(await callError('cancel_run', { run_id: 'run_x' })).toMatchObject({ code: 'DENIED' })
})
