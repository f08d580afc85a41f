import { open } from '@story-portal/shared/testing'
import { expect, test } from 'vitest'

async function claimed() {
  const opened = await open('planning')
  const { goal } = await opened.call('create_goal', { title: 'A goal' })
  const { plan } = await opened.call('create_plan', { goal_id: goal.id, tasks: [{ key: 'a', kind: 'assistant' }] })
  await opened.call('run_plan', { plan_id: plan.id, mode: 'background' })
  const claim = await opened.call('claim_task', { plan_id: plan.id, lease_ms: 10_000 })
  return {
    ...opened,
    task_id: claim.task.id,
    lease_token: claim.lease_token,
    until: Date.parse(claim.lease_expires_at),
  }
}

test('a lease is extended from now', async () => {
  const { call, task_id, lease_token, until } = await claimed()
  const { lease_expires_at } = await call('extend_task_lease', { task_id, lease_token, lease_ms: 600_000 })
  expect(Date.parse(lease_expires_at)).toBeGreaterThan(until + 500_000)
})

test('asking for less than is left takes nothing away', async () => {
  const { call, task_id, lease_token, until } = await claimed()
  const { lease_expires_at } = await call('extend_task_lease', { task_id, lease_token, lease_ms: 1_000 })
  expect(Date.parse(lease_expires_at)).toBe(until)
})

test('only its holder extends it, and only in bounds', async () => {
  const { callError, task_id, lease_token } = await claimed()
  expect(await callError('extend_task_lease', { task_id, lease_token: 'lease_x' })).toMatchObject({
    code: 'CONFLICT',
    number: 'E0601',
  })
  expect(await callError('extend_task_lease', { task_id: 'tsk_x', lease_token })).toMatchObject({ code: 'NOT_FOUND' })
  const long = await callError('extend_task_lease', { task_id, lease_token, lease_ms: 99_999_999 })
  expect(long).toMatchObject({ code: 'INVALID_INPUT', details: { faults: [{ path: 'lease_ms' }] } })
})

test('a reader may not extend leases', async () => {
  const { callError } = await open('planning', { caller: { roles: ['reader'] } })
  expect(await callError('extend_task_lease', { task_id: 'tsk_x', lease_token: 'l' })).toMatchObject({ code: 'DENIED' })
})
