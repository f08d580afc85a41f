import { open } from '@story-portal/shared/testing'
import { expect, test } from 'vitest'

async function claimed(task: object) {
  const opened = await open('planning')
  const { goal } = await opened.call('create_goal', { title: 'A goal' })
  const { plan } = await opened.call('create_plan', {
    goal_id: goal.id,
    tasks: [{ key: 'a', kind: 'assistant', ...task }],
  })
  await opened.call('run_plan', { plan_id: plan.id, mode: 'background' })
  const claim = await opened.call('claim_task', { plan_id: plan.id })
  return { ...opened, plan_id: plan.id, goal_id: goal.id, task_id: claim.task.id, lease_token: claim.lease_token }
}

test('a failure is kept with its words and ends a plan without retries, and its goal', async () => {
  const { call, task_id, lease_token, goal_id } = await claimed({})
  const failed = await call('fail_task', { task_id, lease_token, error: { message: 'the source is gone', url: 'x' } })
  expect(failed).toMatchObject({
    plan_status: 'failed',
    task: {
      status: 'failed',
      attempts: 1,
      error: {
        number: 'E5008',
        message: 'Its worker reported a failure: the source is gone',
        details: { error: { url: 'x' } },
      },
    },
  })
  expect((await call('get_goal', { goal_id })).goal).toMatchObject({ status: 'failed', error: { number: 'E0607' } })
})

test('a task with retries is ready again after its backoff, and the next attempt is counted', async () => {
  const { call, db, task_id, lease_token, plan_id } = await claimed({ retry: { max_attempts: 2, backoff_ms: 60_000 } })
  const failed = await call('fail_task', { task_id, lease_token, error: 'not today' })
  expect(failed).toMatchObject({ plan_status: 'executing', task: { status: 'ready', attempts: 1 } })
  expect((await call('claim_task', { plan_id })).hint).toContain('wait for a retry')
  db.advance(61_000)
  expect((await call('claim_task', { plan_id })).task).toMatchObject({ id: task_id, attempt: 2 })
})

test('a failure that another try can not help ends the task at once', async () => {
  const { call, task_id, lease_token } = await claimed({ retry: { max_attempts: 5 } })
  const failed = await call('fail_task', { task_id, lease_token, error: 'impossible', retryable: false })
  expect(failed.task).toMatchObject({ status: 'failed', attempts: 1 })
})

test('control characters in the words of a worker do not reach a terminal', async () => {
  const { call, task_id, lease_token } = await claimed({})
  const { task } = await call('fail_task', { task_id, lease_token, error: 'red \u001b[31m alert' })
  expect(task.error.message).not.toContain('\u001b')
})

test('a wrong lease and an unknown task fail nothing', async () => {
  const { call, callError, task_id, plan_id } = await claimed({})
  expect(await callError('fail_task', { task_id, lease_token: 'lease_x', error: 'x' })).toMatchObject({
    number: 'E0601',
  })
  expect(await callError('fail_task', { task_id: 'tsk_x', lease_token: 'x', error: 'x' })).toMatchObject({
    code: 'NOT_FOUND',
  })
  expect((await call('get_plan', { plan_id })).plan.status).toBe('executing')
})

test('a reader may not fail tasks', async () => {
  const { callError } = await open('planning', { caller: { roles: ['reader'] } })
  expect(await callError('fail_task', { task_id: 'tsk_x', lease_token: 'l', error: 1 })).toMatchObject({
    code: 'DENIED',
  })
})
