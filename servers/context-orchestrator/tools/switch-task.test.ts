import { open } from '@story-portal/shared/testing'
import { expect, test } from 'vitest'

async function two() {
  const tools = await open('context-orchestrator')
  const first = (await tools.call('save_context_snapshot', { updates: { goal: 'first', next_action: 'a' } })).task_id
  const second = (await tools.call('create_task_context', { title: 'second', updates: { goal: 'second' } })).task_id
  return { ...tools, first, second }
}

test('what is left is saved, and what comes is returned and is the current task from then on', async () => {
  const { call, first, second } = await two()
  const answer = await call('switch_task', { task_id: first, updates: { notes: 'half done' } })
  expect(answer).toMatchObject({
    left: { task_id: second, version: 2, changed: ['notes'] },
    task: { task_id: first, checkpoint: { goal: 'first', next_action: 'a' } },
  })
  expect((await call('save_context_snapshot', { updates: { blockers: ['x'] } })).task_id).toBe(first)
  expect((await call('get_unified_context', { task_id: second })).task.checkpoint).toEqual({
    goal: 'second',
    notes: 'half done',
  })
  expect(await call('switch_task', { task_id: first })).toMatchObject({ left: { task_id: first, version: 2 } })
})

test('a session takes its own task along, whatever others have switched to', async () => {
  const { call, first, second } = await two()
  const { session_id } = (await call('start_session', { task_id: first })).session
  const answer = await call('switch_task', { task_id: second, session_id, updates: { next_action: 'b' } })
  expect(answer).toMatchObject({ left: { task_id: first, version: 2 }, task: { task_id: second } })
  expect((await call('save_context_snapshot', { session_id, updates: { notes: 'n' } })).task_id).toBe(second)
})

test('on an old version nothing is saved and nothing is switched', async () => {
  const { call, first, second } = await two()
  await call('save_context_snapshot', { task_id: second, updates: { notes: 'by somebody else' } })
  const late = await call('switch_task', { task_id: first, updates: { notes: 'mine' }, expected_version: 1 })
  expect(late).toMatchObject({ task: null, conflict: { current_version: 2, yours: { notes: 'mine' } } })
  expect((await call('get_unified_context')).task).toMatchObject({
    task_id: second,
    checkpoint: { notes: 'by somebody else' },
  })
})

test('a task of nobody, and one of another project than the session, are refused', async () => {
  const { call, callError, first } = await two()
  expect(await callError('switch_task', { task_id: 'tcx_none' })).toMatchObject({ code: 'NOT_FOUND' })
  const { session_id } = (await call('start_session', { project: 'elsewhere' })).session
  expect(await callError('switch_task', { task_id: first, session_id })).toMatchObject({ number: 'E14031' })
  expect(await callError('switch_task', { task_id: first, updates: { x: 1 } })).toMatchObject({ code: 'INVALID_INPUT' })
})
