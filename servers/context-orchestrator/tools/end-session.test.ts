import { open } from '@story-portal/shared/testing'
import { expect, test } from 'vitest'

test('an end saves what is given last, in the same step', async () => {
  const { call, callError } = await open('context-orchestrator')
  const { session_id } = (await call('start_session')).session
  const { task_id } = await call('save_context_snapshot', { session_id, updates: { goal: 'Ship' } })
  const bad = await callError('end_session', { session_id, updates: { gaol: 'x' } })
  expect(bad).toMatchObject({ code: 'INVALID_INPUT' })
  expect((await call('heartbeat_session', { session_id })).session_id).toBe(session_id)
  const { session, version } = await call('end_session', { session_id, updates: { next_action: 'Tag it' } })
  expect([session, version]).toMatchObject([{ status: 'ended', task_id }, 2])
  expect((await call('get_unified_context', { task_id })).task.checkpoint).toEqual({
    goal: 'Ship',
    next_action: 'Tag it',
  })
  expect(await callError('end_session', { session_id })).toMatchObject({ number: 'E14030' })
})

test('an ended session is nothing to recover, a compacted one is', async () => {
  const { call } = await open('context-orchestrator')
  await call('save_context_snapshot', { updates: { goal: 'x' } })
  const one = (await call('start_session')).session.session_id
  await call('end_session', { session_id: one })
  expect((await call('check_recovery')).sessions).toMatchObject([{ session_id: null, status: 'saved' }])
  const two = (await call('start_session')).session.session_id
  await call('end_session', { session_id: two, status: 'compacted' })
  expect((await call('check_recovery')).sessions).toMatchObject([
    { session_id: two, status: 'compacted', taken_over: false },
  ])
})

test('what is saved last may be the first that is saved, in the project of the session', async () => {
  const { call } = await open('context-orchestrator')
  const { session_id } = (await call('start_session', { project: 'p' })).session
  const { version } = await call('end_session', { session_id, updates: { goal: 'x' } })
  expect(version).toBe(1)
  expect((await call('get_unified_context', { project: 'p' })).task.checkpoint).toEqual({ goal: 'x' })
})
