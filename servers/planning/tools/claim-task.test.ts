import { open } from '@story-portal/shared/testing'
import { expect, test } from 'vitest'

/** The reconciler looks every two seconds; a busy machine takes longer. */
const PATIENCE = { timeout: 30_000, interval: 100 }

async function running(tasks: object[], options: Parameters<typeof open>[1] = {}) {
  const opened = await open('planning', options)
  const { goal } = await opened.call('create_goal', { title: 'A goal' })
  const { plan } = await opened.call('create_plan', { goal_id: goal.id, tasks })
  await opened.call('run_plan', { plan_id: plan.id, mode: 'background' })
  return { ...opened, plan_id: plan.id }
}

test('a ready task is claimed with all that its worker needs, and by one worker only', async () => {
  const { call, plan_id } = await running([
    { key: 'write', kind: 'assistant', instructions: 'Write it', input: { about: 'ships', goal: '{{goal.title}}' } },
  ])
  const { task, lease_token, lease_expires_at } = await call('claim_task', { plan_id })
  expect(task).toMatchObject({
    key: 'write',
    kind: 'assistant',
    attempt: 1,
    instructions: 'Write it',
    input: { about: 'ships', goal: 'A goal' },
  })
  expect(lease_token).toMatch(/^lease_/)
  expect(Date.parse(lease_expires_at)).toBeGreaterThan(Date.parse('2026-01-01'))
  const second = await call('claim_task', { plan_id })
  expect(second).toMatchObject({ task: null, lease_token: null, lease_expires_at: null })
  expect(second.hint).toContain('claimed by others')
})

test('capabilities decide who gets which task', async () => {
  const { call, plan_id } = await running([{ key: 'draw', kind: 'assistant', capabilities: ['draw'] }])
  expect((await call('claim_task', { plan_id, capabilities: ['write'] })).task).toBeNull()
  expect((await call('claim_task', { plan_id, capabilities: ['write', 'draw'] })).task).toMatchObject({ key: 'draw' })
})

test('a lease that ends gives the task to the next worker, and the first one can record nothing', async () => {
  const { call, callError, close, db, plan_id } = await running([{ key: 'a', kind: 'assistant' }], {
    start: true,
    with: ['runtime'],
  })
  const first = await call('claim_task', { plan_id, lease_ms: 1000 })
  db.advance(5_000)
  await expect.poll(async () => (await call('get_plan', { plan_id })).tasks[0].status, PATIENCE).toBe('ready')
  const second = await call('claim_task', { plan_id })
  expect(second.task.id).toBe(first.task.id)
  const late = { task_id: first.task.id, lease_token: first.lease_token }
  expect(await callError('complete_task', { ...late, output: 1 })).toMatchObject({ code: 'CONFLICT', number: 'E0601' })
  expect(await callError('extend_task_lease', late)).toMatchObject({ code: 'CONFLICT' })
  const { task } = await call('complete_task', { task_id: first.task.id, lease_token: second.lease_token, output: 2 })
  expect(task).toMatchObject({ status: 'completed', output: 2 })
  await close()
})

test('with nothing to do the hint says why', async () => {
  const { call, plan_id } = await running([
    { key: 'first', kind: 'code', code: 'return 1' },
    { key: 'then', kind: 'assistant', depends_on: ['first'] },
  ])
  expect((await call('claim_task', { plan_id })).hint).toContain('wait for tasks before them')
  await call('pause_plan', { plan_id })
  expect((await call('claim_task', { plan_id })).hint).toContain('paused')
  await call('cancel_plan', { plan_id })
  expect((await call('claim_task', { plan_id })).hint).toContain('cancelled')
  expect((await call('claim_task')).hint).toBe('No plan needs an assistant now.')
})

test('a plan not yet started names run_plan; an unknown one is NOT_FOUND', async () => {
  const { call, callError } = await open('planning')
  const { goal } = await call('create_goal', { title: 'A goal' })
  const { plan } = await call('create_plan', { goal_id: goal.id, tasks: [{ key: 'a', kind: 'assistant' }] })
  expect((await call('claim_task', { plan_id: plan.id })).hint).toContain('run_plan')
  expect(await callError('claim_task', { plan_id: 'pln_x' })).toMatchObject({ code: 'NOT_FOUND' })
})

test('the same key claims one task', async () => {
  const { call, plan_id } = await running([
    { key: 'a', kind: 'assistant' },
    { key: 'b', kind: 'assistant' },
  ])
  const first = await call('claim_task', { plan_id, idempotency_key: 'k' })
  const again = await call('claim_task', { plan_id, idempotency_key: 'k' })
  expect(again).toEqual(first)
})

test('a reader may not claim', async () => {
  const { callError } = await open('planning', { caller: { roles: ['reader'] } })
  expect(await callError('claim_task')).toMatchObject({ code: 'DENIED' })
})
