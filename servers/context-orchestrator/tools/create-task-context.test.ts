import { updateRecord } from '@story-portal/shared/data'
import { open } from '@story-portal/shared/testing'
import { expect, test } from 'vitest'

test('a new task is the current one: a save without an id goes there, one with an id does not change that', async () => {
  const { call } = await open('context-orchestrator')
  const first = await call('save_context_snapshot', { updates: { goal: 'First' } })
  const second = await call('create_task_context', { title: 'Second', updates: { next_action: 'Begin' } })
  expect(second).toMatchObject({ version: 1, project: { name: 'default' } })
  await call('save_context_snapshot', { task_id: first.task_id, updates: { notes: 'more' } })
  const saved = await call('save_context_snapshot', { updates: { notes: 'here' } })
  expect(saved).toMatchObject({ task_id: second.task_id, version: 2 })
  expect((await call('get_unified_context')).task).toMatchObject({
    title: 'Second',
    status: 'active',
    checkpoint: { next_action: 'Begin', notes: 'here' },
  })
})

test('needs nothing before it, and of 10 at once each is a task', async () => {
  const { call } = await open('context-orchestrator')
  const made = await Promise.all(
    Array.from({ length: 10 }, (_, i) => call('create_task_context', { project: 'p', title: `t${i}` })),
  )
  expect(new Set(made.map(({ task_id }) => task_id)).size).toBe(10)
  const { items } = await call('list_task_contexts', { project: 'p' })
  expect(items).toHaveLength(10)
  expect(items.filter(({ current }: { current: boolean }) => current)).toHaveLength(1)
})

test('in a project from before there was a current task, the one saved last is meant', async () => {
  const { call, db, tenant } = await open('context-orchestrator')
  const first = await call('create_task_context', { title: 'First' })
  const { project } = await call('create_task_context', { title: 'Second' })
  await db.tx({ kind: 'tenant', tenant_id: tenant, subject: 'user:local' }, (tx) =>
    updateRecord(tx, 'project', project.id, { current_task_id: null }),
  )
  await call('save_context_snapshot', { task_id: first.task_id, updates: { goal: 'x' } })
  expect((await call('save_context_snapshot', { updates: { goal: 'y' } })).task_id).toBe(first.task_id)
})

test('parts that do not fit are refused with their path, and no task is made', async () => {
  const { call, callError } = await open('context-orchestrator')
  const wrong = await callError('create_task_context', { title: 'T', updates: { goal: 7 } })
  expect(wrong).toMatchObject({ code: 'INVALID_INPUT', details: { faults: [{ path: 'updates.goal' }] } })
  expect((await call('list_task_contexts')).items).toEqual([])
})

test('a reader may not', async () => {
  const { callError } = await open('context-orchestrator', { caller: { roles: ['reader'] } })
  expect(await callError('create_task_context', { title: 'X' })).toMatchObject({ code: 'DENIED' })
})
