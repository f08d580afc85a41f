import { open } from '@story-portal/shared/testing'
import { expect, test } from 'vitest'

async function planned(tasks: object[], options: Parameters<typeof open>[1] = {}) {
  const opened = await open('planning', { with: ['runtime', 'tool-execution', 'data'], start: true, ...options })
  const { goal } = await opened.call('create_goal', { title: 'A goal' })
  const { plan } = await opened.call('create_plan', { goal_id: goal.id, tasks })
  return { ...opened, plan_id: plan.id, goal_id: goal.id }
}

test('a plan of code runs to its end while the caller waits and sees progress', async () => {
  const { call, plan_id } = await planned([
    { key: 'list', kind: 'code', code: 'return [1, 2, 3]' },
    { key: 'sum', kind: 'code', depends_on: ['list'], code: 'return input.list.reduce((a, b) => a + b, 0)' },
  ])
  const seen: number[] = []
  const answer = await call('run_plan', { plan_id }, { onprogress: ({ progress }) => seen.push(progress) })
  expect(answer).toMatchObject({ waiting: 'ended', plan: { status: 'completed', progress: { completed: 2 } } })
  expect(answer.tasks).toMatchObject([
    { key: 'list', status: 'completed', output: [1, 2, 3], attempts: 1 },
    { key: 'sum', status: 'completed', output: 6 },
  ])
  expect(seen.length).toBeGreaterThan(0)
})

test('the wait ends when only an assistant can go on', async () => {
  const { call, plan_id } = await planned([
    { key: 'a', kind: 'code', code: 'return 1' },
    { key: 'b', kind: 'assistant', depends_on: ['a'] },
  ])
  const answer = await call('run_plan', { plan_id })
  expect(answer).toMatchObject({ waiting: 'needs_assistant', plan: { status: 'executing' } })
  expect(answer.hint).toContain('claim_task')
})

test('mode background answers at once, and run_plan again joins the same run', async () => {
  const { call, plan_id } = await planned([{ key: 'a', kind: 'code', code: 'return 1' }])
  const first = await call('run_plan', { plan_id, mode: 'background' })
  const second = await call('run_plan', { plan_id })
  expect(second.run_id).toBe(first.run_id)
  const third = await call('run_plan', { plan_id })
  expect(third).toMatchObject({ run_id: first.run_id, plan: { status: 'completed' } })
})

test('two callers at the same moment start one run', async () => {
  const { call, callOn, plan_id } = await planned([{ key: 'a', kind: 'code', code: 'return 1' }])
  const both = await Promise.all([call('run_plan', { plan_id }), call('run_plan', { plan_id })])
  expect(both[0].run_id).toBe(both[1].run_id)
  expect((await callOn('runtime', 'list_runs', { plan_id })).items).toHaveLength(1)
})

test('giving up the wait does not stop the plan', async () => {
  const { call, client, plan_id } = await planned([
    { key: 'slow', kind: 'code', code: 'const end = Date.now() + 1500; while (Date.now() < end) {} return 1' },
    { key: 'after', kind: 'code', depends_on: ['slow'], code: 'return 2' },
  ])
  const waiting = new AbortController()
  const call1 = client.callTool({ name: 'run_plan', arguments: { plan_id } }, { signal: waiting.signal })
  await expect
    .poll(async () => (await call('get_plan', { plan_id })).plan.status, { timeout: 30_000 })
    .toBe('executing')
  waiting.abort()
  await expect(call1).rejects.toThrow()
  expect(await call('get_plan', { plan_id, mode: 'wait' })).toMatchObject({ plan: { status: 'completed' } })
})

test('a plan whose tasks are all skipped ends with its run', async () => {
  const { call, callOn, plan_id } = await planned([
    { key: 'a', kind: 'code', code: 'return 1', when: 'plan.input.on == true' },
  ])
  const { plan, tasks, run_id } = await call('run_plan', { plan_id })
  expect(plan.status).toBe('completed')
  expect(tasks[0].status).toBe('skipped')
  expect((await callOn('runtime', 'get_run', { run_id })).run.status).toBe('succeeded')
})

test('an unknown plan is NOT_FOUND', async () => {
  const { callError } = await open('planning')
  expect(await callError('run_plan', { plan_id: 'pln_x' })).toMatchObject({
    code: 'NOT_FOUND',
    hint: 'List ids with list_plans.',
  })
})

test('a reader may not run plans', async () => {
  const { callError } = await open('planning', { caller: { roles: ['reader'] } })
  expect(await callError('run_plan', { plan_id: 'pln_x' })).toMatchObject({ code: 'DENIED' })
})
