import { open } from '@story-portal/shared/testing'
import { expect, test } from 'vitest'

async function tasks(count: number, more: string[] = []) {
  const opened = await open('context-orchestrator', { with: ['planning', ...more] })
  const ids: string[] = []
  for (let i = 0; i < count; i++) ids.push((await opened.call('create_task_context', { title: `Task ${i}` })).task_id)
  const link = (task_id: string, relation: string, target_id: string, more: object = {}) =>
    opened.call('link_tasks', { task_id, relation, target_id, ...more })
  return { ...opened, ids, link }
}

test('a link is seen from both ends, the same again changes nothing, and removed it is gone', async () => {
  const { call, ids, link } = await tasks(2)
  const [a = '', b = ''] = ids
  const first = await link(a, 'blocks', b)
  expect(first).toEqual({ link: { task_id: b, relation: 'depends_on', target_id: a }, changed: true })
  expect(await link(b, 'depends_on', a)).toMatchObject({ changed: false })
  const seen = async (task_id: string) => (await call('get_unified_context', { task_id })).relationships
  expect(await seen(a)).toEqual([{ relation: 'blocks', id: b, title: 'Task 1', status: 'active', done: false }])
  expect(await seen(b)).toMatchObject([{ relation: 'depends_on', id: a }])
  expect(await link(b, 'depends_on', a, { remove: true })).toMatchObject({ changed: true })
  expect(await link(b, 'depends_on', a, { remove: true })).toMatchObject({ changed: false })
  expect(await seen(b)).toEqual([])
  expect(await link(b, 'depends_on', a)).toMatchObject({ changed: true })
})

test('circles are refused with their path, whichever way they are said; so are second parents', async () => {
  const { callError, ids, link } = await tasks(3)
  const [a = '', b = '', c = ''] = ids
  await link(a, 'depends_on', b)
  await link(c, 'blocks', b)
  const circle = await callError('link_tasks', { task_id: c, relation: 'depends_on', target_id: a })
  expect(circle).toMatchObject({ number: 'E14013', details: { path: [c, a, b, c] } })
  await link(c, 'parent', a)
  await link(a, 'related_to', c)
  expect(await callError('link_tasks', { task_id: a, relation: 'parent', target_id: c })).toMatchObject({
    number: 'E14013',
  })
  expect(await callError('link_tasks', { task_id: c, relation: 'parent', target_id: b })).toMatchObject({
    number: 'E14012',
  })
})

test('of ten links that would close circles together only those land that do not', async () => {
  const { call, ids, link } = await tasks(5)
  const pairs = ids.flatMap((from) => ids.filter((to) => to !== from).map((to) => [from, to] as const))
  const landed = await Promise.allSettled(pairs.map(([from, to]) => link(from, 'depends_on', to)))
  const done = landed.filter(({ status }) => status === 'fulfilled')
  // Of each two that contradict each other one lands: all pairs once, and an order of the five.
  expect(done).toHaveLength(10)
  const { edges, critical_path } = await call('get_task_graph')
  expect(edges).toHaveLength(10)
  expect(critical_path).toHaveLength(5)
})

test("planning's tasks and goals can be depended on; their state is read where it is kept", async () => {
  const { call, callOn, callError, ids, link } = await tasks(1)
  const [a = ''] = ids
  const { goal } = await callOn('planning', 'create_goal', { title: 'Ship' })
  const steps = [{ key: 'look', kind: 'assistant', name: 'Look at it', instructions: 'x' }]
  const { plan, tasks: planned } = await callOn('planning', 'create_plan', { goal_id: goal.id, tasks: steps })
  await link(a, 'related_to', goal.id)
  await link(a, 'depends_on', planned[0].id)
  const blocked = async () =>
    (await call('get_task_graph', { task_id: a })).nodes.find((n: { id: string }) => n.id === a)
  expect(await blocked()).toMatchObject({ ready: false, blocked_by: [planned[0].id] })
  await callOn('planning', 'run_plan', { plan_id: plan.id, mode: 'background' })
  const claimed = await callOn('planning', 'claim_task', { plan_id: plan.id })
  const { lease_token } = claimed
  await callOn('planning', 'complete_task', { task_id: claimed.task.id, lease_token, output: {} })
  expect(await blocked()).toMatchObject({ ready: true, blocked_by: [] })
  const { relationships } = await call('get_unified_context', { task_id: a })
  expect(relationships).toContainEqual({
    ...{ relation: 'depends_on', id: planned[0].id, title: 'Look at it', status: 'completed', done: true },
  })
  const { drift } = await call('get_unified_context', { task_id: a })
  expect(drift.linked).toContainEqual({ id: planned[0].id, title: 'Look at it', status: 'completed' })
  const [{ resume_prompt }] = (await call('check_recovery')).sessions
  expect(resume_prompt).toContain('Changed since then:\n- planning: "')
  expect(resume_prompt).toContain('- planning: "Look at it" is completed')
  await call('save_context_snapshot', { task_id: a, updates: { notes: 'seen' } })
  expect((await call('get_unified_context', { task_id: a })).drift).not.toHaveProperty('linked')
  const wrong = { task_id: a, relation: 'blocks', target_id: planned[0].id }
  expect(await callError('link_tasks', wrong)).toMatchObject({ number: 'E14012' })
})

test('what is not there, another project, another tenant and the task itself can not be linked', async () => {
  const { call, callError, db, ids } = await tasks(1)
  const [a = ''] = ids
  const fault = (target_id: string) => callError('link_tasks', { task_id: a, relation: 'related_to', target_id })
  const { task_id: far } = await call('create_task_context', { title: 'far', project: 'elsewhere' })
  const stranger = await open('context-orchestrator', { db })
  const { task_id: strange } = await stranger.call('create_task_context', { title: 'x' })
  expect(await fault(a)).toMatchObject({ number: 'E14012' })
  expect(await fault(far)).toMatchObject({ number: 'E14012' })
  expect(await fault(strange)).toMatchObject({ code: 'NOT_FOUND' })
  expect(await fault('gol_nobody')).toMatchObject({ code: 'NOT_FOUND' })
  expect(await fault('x')).toMatchObject({ code: 'INVALID_INPUT' })
})

test('a link to a goal that was deleted is shown as such, blocks nothing, and can be removed', async () => {
  const { call, callOn, callError, ids, link } = await tasks(1, ['data'])
  const [a = ''] = ids
  const { goal } = await callOn('planning', 'create_goal', { title: 'Ship' })
  for (const relation of ['depends_on', 'related_to']) await link(a, relation, goal.id)
  await callOn('data', 'delete_record', { kind: 'goal', id: goal.id })
  const seen = async () => (await call('get_unified_context', { task_id: a })).relationships
  const gone = { id: goal.id, title: 'Ship', status: 'deleted' }
  expect(await seen()).toMatchObject([
    { relation: 'depends_on', ...gone },
    { relation: 'related_to', ...gone },
  ])
  const { nodes, edges } = await call('get_task_graph', { task_id: a })
  expect(nodes).toContainEqual(expect.objectContaining({ id: a, ready: true, blocked_by: [] }))
  expect(nodes).toContainEqual(expect.objectContaining({ ...gone, ready: false }))
  expect(edges).toHaveLength(2)
  expect(await callError('link_tasks', { task_id: a, relation: 'depends_on', target_id: goal.id })).toMatchObject({
    code: 'NOT_FOUND',
  })
  for (const relation of ['depends_on', 'related_to'])
    expect(await link(a, relation, goal.id, { remove: true })).toMatchObject({ changed: true })
  expect(await seen()).toEqual([])
  const again = { task_id: a, relation: 'depends_on', target_id: goal.id, remove: true }
  expect(await callError('link_tasks', again)).toMatchObject({ code: 'NOT_FOUND' })
})

test("planning's tasks and goals that failed or were cancelled are neither ready nor fulfilled", async () => {
  const { call, callOn, ids, link } = await tasks(1)
  const [a = ''] = ids
  const planned = async (title: string) => {
    const { goal } = await callOn('planning', 'create_goal', { title })
    const steps = [{ key: 'look', kind: 'assistant', name: title, instructions: 'x' }]
    const { plan, tasks: of } = await callOn('planning', 'create_plan', { goal_id: goal.id, tasks: steps })
    await callOn('planning', 'run_plan', { plan_id: plan.id, mode: 'background' })
    await link(a, 'depends_on', of[0].id)
    return { goal, plan, id: of[0].id as string }
  }
  const failed = await planned('Fails')
  const { lease_token } = await callOn('planning', 'claim_task', { plan_id: failed.plan.id })
  await callOn('planning', 'fail_task', { task_id: failed.id, lease_token, error: 'no', retryable: false })
  const cancelled = await planned('Cancelled')
  await callOn('planning', 'cancel_plan', { plan_id: cancelled.plan.id })
  const { relationships } = await call('get_unified_context', { task_id: a })
  expect(relationships).toMatchObject([
    { id: failed.id, status: 'failed', done: false },
    { id: cancelled.id, status: 'cancelled', done: false },
  ])
  const { nodes, mermaid } = await call('get_task_graph', { task_id: a, format: 'mermaid' })
  const of = (id: string) => nodes.find((node: { id: string }) => node.id === id)
  expect(of(failed.id)).toMatchObject({ status: 'failed', ready: false })
  expect(of(cancelled.id)).toMatchObject({ status: 'cancelled', ready: false })
  expect(of(a)).toMatchObject({ ready: false, blocked_by: [failed.id, cancelled.id] })
  expect(mermaid).toContain('Fails<br>failed')
})
