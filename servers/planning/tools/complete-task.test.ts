import { open } from '@story-portal/shared/testing'
import { expect, test } from 'vitest'

async function claimed(options: Parameters<typeof open>[1] = {}) {
  const opened = await open('planning', options)
  const { goal } = await opened.call('create_goal', { title: 'A goal' })
  const tasks = [
    { key: 'a', kind: 'assistant' },
    { key: 'b', kind: 'assistant', depends_on: ['a'], input: { from_a: '{{tasks.a.output.x}}' } },
  ]
  const { plan } = await opened.call('create_plan', { goal_id: goal.id, tasks })
  await opened.call('run_plan', { plan_id: plan.id, mode: 'background' })
  const { task, lease_token } = await opened.call('claim_task', { plan_id: plan.id })
  return { ...opened, goal_id: goal.id, plan_id: plan.id, task_id: task.id, lease_token }
}

test('an output is recorded and bound to the next task; the last one ends plan and goal', async () => {
  const { call, plan_id, goal_id, task_id, lease_token } = await claimed()
  const done = await call('complete_task', { task_id, lease_token, output: { x: 7 } })
  expect(done).toMatchObject({ task: { key: 'a', status: 'completed', output: { x: 7 } }, plan_status: 'executing' })
  const next = await call('claim_task', { plan_id })
  expect(next.task).toMatchObject({ key: 'b', input: { from_a: 7 } })
  const last = await call('complete_task', { task_id: next.task.id, lease_token: next.lease_token, output: 'end' })
  expect(last.plan_status).toBe('completed')
  expect((await call('get_goal', { goal_id })).goal).toMatchObject({ status: 'completed', result: { b: 'end' } })
})

test('the same completion again returns what was recorded; another output is a conflict', async () => {
  const { call, callError, task_id, lease_token, plan_id } = await claimed()
  const first = await call('complete_task', { task_id, lease_token, output: { x: 1, y: 2 } })
  const again = await call('complete_task', { task_id, lease_token, output: { y: 2, x: 1 } })
  expect(again.task).toEqual(first.task)
  const other = await callError('complete_task', { task_id, lease_token, output: { x: 2 } })
  expect(other).toMatchObject({ code: 'CONFLICT', number: 'E5009' })
  expect((await call('get_plan', { plan_id })).plan.progress.completed).toBe(1)
})

test('two completions at the same moment record one', async () => {
  const { call, task_id, lease_token, plan_id } = await claimed()
  const both = await Promise.all([1, 2].map(() => call('complete_task', { task_id, lease_token, output: { x: 1 } })))
  expect(both[0].task).toEqual(both[1].task)
  expect((await call('get_plan', { plan_id })).plan.progress.completed).toBe(1)
})

test('a wrong lease, an unknown task and a missing field change nothing', async () => {
  const { call, callError, task_id, plan_id } = await claimed()
  const wrong = await callError('complete_task', { task_id, lease_token: 'lease_guess', output: 1 })
  expect(wrong).toMatchObject({ code: 'CONFLICT', number: 'E0601' })
  expect(await callError('complete_task', { task_id: 'tsk_x', lease_token: 'l', output: 1 })).toMatchObject({
    code: 'NOT_FOUND',
  })
  expect(await callError('complete_task', { task_id })).toMatchObject({ code: 'INVALID_INPUT' })
  expect((await call('get_plan', { plan_id })).plan.progress.completed).toBe(0)
})

test('a task of a cancelled plan takes no result', async () => {
  const { call, callError, task_id, lease_token, plan_id } = await claimed()
  await call('cancel_plan', { plan_id })
  expect(await callError('complete_task', { task_id, lease_token, output: 1 })).toMatchObject({ number: 'E0601' })
})

test('a lease token never leaves by another tool', async () => {
  const { call, plan_id, lease_token } = await claimed()
  const shown = JSON.stringify([await call('get_plan', { plan_id }), await call('get_plan', { plan_id, keys: ['a'] })])
  expect(shown).not.toContain(lease_token)
})

test('a reader may not complete tasks', async () => {
  const { callError } = await open('planning', { caller: { roles: ['reader'] } })
  expect(await callError('complete_task', { task_id: 'tsk_x', lease_token: 'l', output: 1 })).toMatchObject({
    code: 'DENIED',
  })
})
