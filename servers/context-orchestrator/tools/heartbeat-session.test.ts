import { open } from '@story-portal/shared/testing'
import { expect, test } from 'vitest'

test('a heartbeat is told by the clock of the database, goes forward only, and leaves no event', async () => {
  const { call, callOn, db } = await open('context-orchestrator', { with: ['data'] })
  const { session_id } = (await call('start_session')).session
  const first = await call('heartbeat_session', { session_id })
  db.advance(60_000)
  const second = await call('heartbeat_session', { session_id })
  expect(Date.parse(second.last_heartbeat_at) - Date.parse(first.last_heartbeat_at)).toBeGreaterThanOrEqual(60_000)
  db.advance(-120_000)
  expect(await call('heartbeat_session', { session_id })).toEqual(second)
  const { items } = await callOn('data', 'list_events', { stream: `session/${session_id}` })
  expect(items).toHaveLength(1)
})

test('a session that is over, and one that never was, have no heartbeat', async () => {
  const { call, callError } = await open('context-orchestrator')
  const { session_id } = (await call('start_session')).session
  await call('end_session', { session_id })
  expect(await callError('heartbeat_session', { session_id })).toMatchObject({ number: 'E14030' })
  expect(await callError('heartbeat_session', { session_id: 'ses_none' })).toMatchObject({ code: 'NOT_FOUND' })
})
