import { open } from '@story-portal/shared/testing'
import { expect, test } from 'vitest'

test('a session needs nothing before it, and works on the current task of its project', async () => {
  const { call } = await open('context-orchestrator', { caller: { client: { surface: 'test', name: 'Editor' } } })
  const first = await call('start_session')
  expect(first).toMatchObject({ resumed: false, session: { status: 'active', assistant: 'Editor', task_id: null } })
  const { task_id } = await call('save_context_snapshot', { updates: { goal: 'Ship' } })
  expect((await call('start_session', { assistant: 'Other' })).session).toMatchObject({ assistant: 'Other', task_id })
  const other = await call('create_task_context', { title: 'Another' })
  expect((await call('start_session', { task_id })).session.task_id).toBe(task_id)
  expect((await call('start_session')).session.task_id).toBe(other.task_id)
})

test('the same client id is the same session while it lives, also for ten starts at once, and another one afterwards', async () => {
  const { call } = await open('context-orchestrator')
  const start = () => call('start_session', { client_session_id: 'c1', project: 'p' })
  const all = await Promise.all(Array.from({ length: 10 }, start))
  const [id] = all.map(({ session }) => session.session_id)
  expect(new Set(all.map(({ session }) => session.session_id))).toEqual(new Set([id]))
  expect(all.filter(({ resumed }) => !resumed)).toHaveLength(1)
  const elsewhere = await call('start_session', { client_session_id: 'c1', project: 'q' })
  expect(elsewhere.session.session_id).not.toBe(id)
  await call('end_session', { session_id: id })
  expect((await start()).session.session_id).not.toBe(id)
})

test('the same client id goes on where its own compacted session stopped, and nobody else has to take that over', async () => {
  const { call } = await open('context-orchestrator')
  const start = () => call('start_session', { client_session_id: 'c1', project: 'p' })
  const first = await start()
  expect(first).toMatchObject({ continues: null, project: { name: 'p', root: null } })
  const { session_id } = first.session
  const { task_id } = await call('save_context_snapshot', { session_id, updates: { goal: 'x' } })
  await call('create_task_context', { project: 'p', title: 'what somebody else began meanwhile' })
  await call('end_session', { session_id, status: 'compacted' })
  const ten = await Promise.all(Array.from({ length: 10 }, start))
  expect(ten.filter(({ continues }) => continues !== null)).toMatchObject([
    { resumed: false, continues: session_id, session: { task_id } },
  ])
  const back = await call('check_recovery', { project: 'p' })
  expect(back.sessions).toMatchObject([{ session_id: null, status: 'saved' }])
  const own = ten[0]?.session.session_id
  expect(back.taken).toMatchObject({ session_id, by: own })
  await call('end_session', { session_id: own })
  expect(await start()).toMatchObject({ resumed: false, continues: null })
})

test('a task of another project, or of nobody, is refused and begins nothing', async () => {
  const { call, callError } = await open('context-orchestrator')
  const { task_id } = await call('save_context_snapshot', { project: 'one', updates: { goal: 'x' } })
  expect(await callError('start_session', { project: 'two', task_id })).toMatchObject({ number: 'E14031' })
  const { session_id } = (await call('start_session', { project: 'two', client_session_id: 'c' })).session
  const again = { project: 'two', client_session_id: 'c', task_id }
  expect(await callError('start_session', again)).toMatchObject({ number: 'E14031' })
  const save = { session_id, task_id, updates: { goal: 'y' } }
  expect(await callError('save_context_snapshot', save)).toMatchObject({ number: 'E14031' })
  const own = await call('save_context_snapshot', { session_id, updates: { goal: 'y' } })
  expect((await call('get_unified_context', { project: 'two' })).task.task_id).toBe(own.task_id)
  expect((await call('start_session', { ...again, task_id: own.task_id })).session).toMatchObject({
    task_id: own.task_id,
  })
  expect(await callError('start_session', { task_id: 'tcx_none' })).toMatchObject({ code: 'NOT_FOUND' })
  expect(await callError('start_session', { client_session_id: '' })).toMatchObject({ code: 'INVALID_INPUT' })
})
