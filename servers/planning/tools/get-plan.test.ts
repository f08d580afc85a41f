import { open } from '@story-portal/shared/testing'
import { expect, test } from 'vitest'

async function running(tasks: object[]) {
  const opened = await open('planning')
  const { goal } = await opened.call('create_goal', { title: 'A goal' })
  const { plan } = await opened.call('create_plan', { goal_id: goal.id, tasks })
  await opened.call('run_plan', { plan_id: plan.id, mode: 'background' })
  const complete = async (output: unknown) => {
    const { task, lease_token } = await opened.call('claim_task', { plan_id: plan.id })
    return opened.call('complete_task', { task_id: task.id, lease_token, output })
  }
  return { ...opened, plan_id: plan.id, complete }
}

test('a plan shows waves, critical path, progress and estimates', async () => {
  const { call, plan_id, complete } = await running([
    { key: 'a', kind: 'assistant', estimate_ms: 1000 },
    { key: 'b', kind: 'assistant', depends_on: ['a'], estimate_ms: 5000 },
  ])
  expect((await call('get_plan', { plan_id })).plan.estimates).toMatchObject({
    critical_path_ms: 6000,
    remaining_ms: 6000,
  })
  await complete('x')
  const { plan, tasks, waiting } = await call('get_plan', { plan_id })
  expect(plan).toMatchObject({
    status: 'executing',
    waves: [['a'], ['b']],
    critical_path: ['a', 'b'],
    progress: { total: 2, completed: 1, pending: 1 },
  })
  expect(plan.estimates.remaining_ms).toBe(5000)
  expect(tasks).toMatchObject([
    { key: 'a', status: 'completed', output: 'x', attempts: 1 },
    { key: 'b', status: 'ready', output: null, attempts: 0 },
  ])
  expect(waiting).toBe('needs_assistant')
})

test('a large output is cut with a note, and comes whole by its key', async () => {
  const { call, plan_id, complete } = await running([{ key: 'a', kind: 'assistant' }])
  const output = 'x'.repeat(10_000)
  await complete(output)
  const [cut] = (await call('get_plan', { plan_id })).tasks
  expect(cut).toMatchObject({ output: null, output_omitted: { bytes: 10_002 } })
  expect(cut.output_omitted.hint).toContain('keys ["a"]')
  const [whole] = (await call('get_plan', { plan_id, keys: ['a'] })).tasks
  expect(whole.output).toBe(output)
})

test('tasks come in pages and by state', async () => {
  const wanted = Array.from({ length: 120 }, (_, i) => `t${i}`)
  const { call, callError, plan_id, complete } = await running(wanted.map((key) => ({ key, kind: 'assistant' })))
  await complete(1)
  const first = await call('get_plan', { plan_id })
  const second = await call('get_plan', { plan_id, cursor: first.next_cursor })
  expect(first.tasks).toHaveLength(100)
  const keys = [...first.tasks, ...second.tasks].map((task) => task.key)
  expect(keys.sort()).toEqual(wanted.sort())
  expect((await call('get_plan', { plan_id, status: 'completed' })).tasks).toHaveLength(1)
  expect(await callError('get_plan', { plan_id, cursor: 'x' })).toMatchObject({ number: 'E0014' })
  expect(await callError('get_plan', { plan_id, status: 'finished' })).toMatchObject({ code: 'INVALID_INPUT' })
})

test('mode wait answers when the plan has ended', async () => {
  const { call, plan_id, complete } = await running([{ key: 'a', kind: 'assistant' }])
  await complete(1)
  expect(await call('get_plan', { plan_id, mode: 'wait' })).toMatchObject({
    waiting: 'ended',
    plan: { status: 'completed' },
  })
})

test('an unknown plan tells the caller what to do next', async () => {
  const { callError } = await open('planning')
  expect(await callError('get_plan', { plan_id: 'pln_x' })).toMatchObject({
    code: 'NOT_FOUND',
    hint: 'List ids with list_plans.',
  })
})
