import { open } from '@story-portal/shared/testing'
import { expect, test } from 'vitest'

async function ran(tasks: object[]) {
  const opened = await open('runtime', { with: ['planning', 'tool-execution', 'data'], start: true })
  const { goal } = await opened.callOn('planning', 'create_goal', { title: 'A goal' })
  const { plan } = await opened.callOn('planning', 'create_plan', { goal_id: goal.id, tasks })
  const { run_id } = await opened.callOn('planning', 'run_plan', { plan_id: plan.id })
  return { ...opened, plan_id: plan.id, run_id }
}

test('a run tells its steps with attempts and invocations, what it used, and its story in order', async () => {
  const { call, run_id, close } = await ran([
    { key: 'a', kind: 'code', code: 'return 1' },
    { key: 'b', kind: 'tool', tool: 'data.list_records', depends_on: ['a'], input: { kind: 'goal' } },
  ])
  const { run, steps, usage, timeline } = await call('get_run', { run_id })
  expect(run).toMatchObject({ kind: 'plan', status: 'succeeded', output: { b: { items: [{ title: 'A goal' }] } } })
  expect(steps).toMatchObject([
    { key: 'a', status: 'completed', attempts: 1, invocations: [{ kind: 'code', status: 'succeeded', attempt: 1 }] },
    {
      key: 'b',
      status: 'completed',
      invocations: [{ kind: 'server_tool', tool: 'data.list_records', status: 'succeeded' }],
    },
  ])
  expect(usage).toMatchObject({ invocations: 2, failed_invocations: 0, cost_usd: 0 })
  expect(usage.wall_ms).toBeGreaterThan(0)
  const story = timeline.map((e: { what: string; key: string; to: string }) => `${e.key ?? e.what} ${e.to}`)
  expect(story).toEqual([
    'plan validated',
    'a pending',
    'b pending',
    'plan executing',
    'a ready',
    'a running',
    'a completed',
    'b ready',
    'b running',
    'b completed',
    'plan completed',
  ])
  const later = await call('get_run', { run_id, after_position: timeline[3].position })
  expect(later.timeline).toEqual(timeline.slice(4))
  await close()
})

test('a task that failed twice shows three attempts, each with its invocation', async () => {
  const code = `
    const { items } = await tools.data.list_events({ stream: 'attempts' })
    // Another index for each attempt: a call that succeeded at an index is not made again by the next attempt.
    for (const _ of items) await tools.data.list_events({ stream: 'attempts' })
    if (items.length < 2) {
      await tools.data.append_event({ stream: 'attempts', type: 'test.tried', data: {} })
      throw new Error('not yet')
    }
    return items.length`
  const permissions = { tools: ['data.list_events', 'data.append_event'] }
  const { call, run_id, close } = await ran([
    { key: 'a', kind: 'code', code, permissions, retry: { max_attempts: 3, backoff_ms: 10 } },
  ])
  const { run, steps, usage, timeline } = await call('get_run', { run_id })
  expect(run.status).toBe('succeeded')
  expect(steps[0]).toMatchObject({ attempts: 3, status: 'completed' })
  expect(steps[0].invocations.map((i: { attempt: number; status: string }) => [i.attempt, i.status])).toEqual([
    [1, 'failed'],
    [2, 'failed'],
    [3, 'succeeded'],
  ])
  expect(usage.failed_invocations).toBeGreaterThanOrEqual(2)
  const retries = timeline.filter((e: { from: string; to: string }) => e.from === 'running' && e.to === 'ready')
  expect(retries.map((e: { reason: string }) => e.reason)).toEqual(['attempt 1 failed', 'attempt 2 failed'])
  await close()
})

test('steps come in pages', async () => {
  const tasks = Array.from({ length: 5 }, (_, i) => ({ key: `t${i}`, kind: 'code', code: 'return 1' }))
  const { call, run_id, close } = await ran(tasks)
  const first = await call('get_run', { run_id, limit: 3 })
  const second = await call('get_run', { run_id, limit: 3, cursor: first.next_cursor })
  expect([...first.steps, ...second.steps].map((s: { key: string }) => s.key).sort()).toEqual([
    't0',
    't1',
    't2',
    't3',
    't4',
  ])
  expect(second.next_cursor).toBeNull()
  await close()
})

test('an unknown run, and one of another tenant, tell the caller what to do next', async () => {
  const { run_id, close } = await ran([{ key: 'a', kind: 'code', code: 'return 1' }])
  const { callError } = await open('runtime')
  for (const id of ['run_x', run_id]) {
    expect(await callError('get_run', { run_id: id })).toMatchObject({
      code: 'NOT_FOUND',
      hint: 'List ids with list_runs.',
    })
  }
  await close()
})
