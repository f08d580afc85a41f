import { open } from '@story-portal/shared/testing'
import { expect, test } from 'vitest'

test('a role is taken, the one before ends, the same again changes nothing; a session has its own', async () => {
  const { call, callError } = await open('context-orchestrator', { with: ['data'] })
  const { task_id } = await call('save_context_snapshot', { updates: { goal: 'Ship it' } })
  expect(await call('switch_role', { role: 'planner' })).toMatchObject({
    before: null,
    role: { name: 'planner' },
    task: { task_id },
  })
  expect(await call('switch_role', { role: 'planner' })).toMatchObject({ before: 'planner' })
  expect(await call('switch_role', { role: 'implementer', note: 'planned' })).toMatchObject({ before: 'planner' })
  const { session_id } = (await call('start_session', { task_id })).session
  expect(await call('switch_role', { role: 'reviewer', session_id })).toMatchObject({ before: 'implementer' })
  expect(await call('switch_role', { role: 'tester', session_id })).toMatchObject({ before: 'reviewer' })
  expect(await call('switch_role', { role: 'operator' })).toMatchObject({ before: 'implementer' })
  expect(await callError('switch_role', { role: 'wizard' })).toMatchObject({ code: 'NOT_FOUND' })
  expect(await callError('switch_role', { role: 'planner', task_id: 'tcx_nobody' })).toMatchObject({
    code: 'NOT_FOUND',
  })
})

test('ten who take roles at once leave one', async () => {
  const { call, callOn } = await open('context-orchestrator', { with: ['data'] })
  await call('save_context_snapshot', { updates: { goal: 'x' } })
  const roles = ['planner', 'implementer', 'reviewer', 'tester', 'debugger']
  await Promise.all([...roles, ...roles].map((role) => call('switch_role', { role })))
  const { items } = await callOn('data', 'list_records', { kind: 'role_assignment', filter: { status: 'active' } })
  expect(items).toHaveLength(1)
})
