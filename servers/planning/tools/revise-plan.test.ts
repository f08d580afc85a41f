import { open } from '@story-portal/shared/testing'
import { expect, test } from 'vitest'

const A = { key: 'a', kind: 'assistant' }
const B = { key: 'b', kind: 'assistant', depends_on: ['a'] }

async function halfDone() {
  const opened = await open('planning')
  const { goal } = await opened.call('create_goal', { title: 'A goal' })
  const { plan } = await opened.call('create_plan', { goal_id: goal.id, tasks: [A, B] })
  await opened.call('run_plan', { plan_id: plan.id, mode: 'background' })
  const { task, lease_token } = await opened.call('claim_task', { plan_id: plan.id })
  await opened.call('complete_task', { task_id: task.id, lease_token, output: 'kept' })
  return { ...opened, plan_id: plan.id, goal_id: goal.id }
}

test('a revision is a new plan version that keeps finished work, and the goal goes on with it', async () => {
  const { call, plan_id, goal_id } = await halfDone()
  const c = { key: 'c', kind: 'assistant', depends_on: ['b'] }
  const revised = await call('revise_plan', { plan_id, tasks: [A, B, c], reason: 'one more step' })
  expect(revised.carried_over).toEqual(['a'])
  expect(revised.plan).toMatchObject({ revision: 2, revises_plan_id: plan_id, status: 'validated' })
  expect(revised.tasks[0]).toMatchObject({ key: 'a', status: 'completed', output: 'kept' })
  expect((await call('get_plan', { plan_id })).plan.status).toBe('cancelled')
  expect((await call('get_goal', { goal_id })).goal.status).toBe('active')
  await call('run_plan', { plan_id: revised.plan.id, mode: 'background' })
  expect((await call('claim_task', { plan_id: revised.plan.id })).task).toMatchObject({ key: 'b' })
})

test('a faulty revision leaves the plan as it is', async () => {
  const { call, callError, plan_id } = await halfDone()
  const error = await callError('revise_plan', { plan_id, tasks: [{ ...A, depends_on: ['b'] }, B] })
  expect(error).toMatchObject({ code: 'INVALID_INPUT', number: 'E0600' })
  expect(await callError('revise_plan', { plan_id, tasks: [{ key: 'm', kind: 'model', prompt: 'x' }] })).toMatchObject({
    number: 'E5001',
  })
  expect((await call('get_plan', { plan_id })).plan).toMatchObject({ status: 'executing', revision: 1 })
  expect(await callError('revise_plan', { plan_id: 'pln_x', tasks: [A] })).toMatchObject({ code: 'NOT_FOUND' })
})

test('a reader may not revise plans', async () => {
  const { callError } = await open('planning', { caller: { roles: ['reader'] } })
  expect(await callError('revise_plan', { plan_id: 'pln_x', tasks: [A] })).toMatchObject({ code: 'DENIED' })
})
