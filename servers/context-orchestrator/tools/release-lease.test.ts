import { open } from '@story-portal/shared/testing'
import { expect, test } from 'vitest'

test('releases what a session holds, once, and nothing of another one', async () => {
  const { call, callError } = await open('context-orchestrator')
  await call('save_context_snapshot', { updates: { goal: 'x' } })
  const session = async () => (await call('start_session')).session.session_id as string
  const [a, b] = [await session(), await session()]
  await call('acquire_lease', { session_id: a, paths: ['a.ts', 'b.ts'] })
  expect(await call('release_lease', { session_id: b })).toEqual({ released: [] })
  expect(await call('release_lease', { session_id: a })).toEqual({ released: ['a.ts', 'b.ts'] })
  expect(await call('release_lease', { session_id: a })).toEqual({ released: [] })
  expect(await call('acquire_lease', { session_id: b, paths: ['a.ts'] })).toMatchObject({ granted: true })
  expect(await callError('release_lease', { session_id: 'ses_nobody' })).toMatchObject({ code: 'NOT_FOUND' })
})
