import { open } from '@story-portal/shared/testing'
import { expect, test } from 'vitest'

async function executing() {
  const opened = await open('planning')
  const { goal } = await opened.call('create_goal', { title: 'A goal' })
  const tasks = [
    { key: 'a', kind: 'assistant' },
    { key: 'b', kind: 'assistant' },
  ]
  const { plan } = await opened.call('create_plan', { goal_id: goal.id, tasks })
  await opened.call('run_plan', { plan_id: plan.id, mode: 'background' })
  return { ...opened, plan_id: plan.id }
}

test('a paused plan gives out no task, takes the result of one under way, and goes on by run_plan', async () => {
  const { call, plan_id } = await executing()
  const { task, lease_token } = await call('claim_task', { plan_id })
  expect((await call('pause_plan', { plan_id })).plan.status).toBe('paused')
  expect((await call('claim_task', { plan_id })).task).toBeNull()
  expect((await call('complete_task', { task_id: task.id, lease_token, output: 1 })).task.status).toBe('completed')
  const resumed = await call('run_plan', { plan_id, mode: 'background' })
  expect(resumed.plan.status).toBe('executing')
  expect((await call('claim_task', { plan_id })).task).not.toBeNull()
})

test('only an executing plan can be paused', async () => {
  const { call, callError, plan_id } = await executing()
  await call('pause_plan', { plan_id })
  expect(await callError('pause_plan', { plan_id })).toMatchObject({ code: 'CONFLICT', number: 'E0606' })
  expect(await callError('pause_plan', { plan_id: 'pln_x' })).toMatchObject({ code: 'NOT_FOUND' })
})

test('a reader may not pause plans', async () => {
  const { callError } = await open('planning', { caller: { roles: ['reader'] } })
  expect(await callError('pause_plan', { plan_id: 'pln_x' })).toMatchObject({ code: 'DENIED' })
})
