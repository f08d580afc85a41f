import { open } from '@story-portal/shared/testing'
import { expect, test } from 'vitest'

async function startedPlans(count: number) {
  const opened = await open('runtime', { with: ['planning'] })
  const plans: string[] = []
  for (let i = 0; i < count; i++) {
    const { goal } = await opened.callOn('planning', 'create_goal', { title: `Goal ${i}` })
    const tasks = [{ key: 'a', kind: 'assistant' }]
    const { plan } = await opened.callOn('planning', 'create_plan', { goal_id: goal.id, tasks })
    await opened.callOn('planning', 'run_plan', { plan_id: plan.id, mode: 'background' })
    plans.push(plan.id)
  }
  return { ...opened, plans }
}

test('runs come latest first, by plan and by status, in pages', async () => {
  const { call, callOn, plans } = await startedPlans(3)
  await callOn('planning', 'cancel_plan', { plan_id: plans[0] })
  await callOn('planning', 'pause_plan', { plan_id: plans[1] })
  const all = await call('list_runs')
  expect(all.items).toHaveLength(3)
  expect(all.items.every((run: object) => !('lease_token' in run))).toBe(true)
  expect((await call('list_runs', { plan_id: plans[0] })).items).toMatchObject([
    { status: 'cancelled', plan_id: plans[0] },
  ])
  expect((await call('list_runs', { status: 'waiting' })).items).toMatchObject([{ plan_id: plans[1] }])
  expect((await call('list_runs', { status: 'running', kind: 'plan' })).items).toMatchObject([{ plan_id: plans[2] }])
  const page = await call('list_runs', { limit: 2 })
  expect((await call('list_runs', { limit: 2, cursor: page.next_cursor })).items).toHaveLength(1)
})

test('a wrong status and a strange cursor are refused', async () => {
  const { callError } = await open('runtime')
  expect(await callError('list_runs', { status: 'done' })).toMatchObject({
    code: 'INVALID_INPUT',
    details: { faults: [{ path: 'status' }] },
  })
  expect(await callError('list_runs', { cursor: 'x' })).toMatchObject({ number: 'E0014' })
})
