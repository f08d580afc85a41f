import { open } from '@story-portal/shared/testing'
import { expect, test } from 'vitest'

const READY = {
  goal: 'Move the parser to the new grammar',
  next_action: 'Read src/parser.ts against the grammar',
  decisions: [{ decision: 'Keep the old tokens', reason: 'plugins name them' }],
  done_steps: ['write the grammar'],
  tests: [{ name: 'parser.test.ts', result: '12 passed' }],
  key_files: [{ path: 'src/parser.ts', sha256: '0'.repeat(64) }],
}

async function task(updates: object = READY) {
  const opened = await open('context-orchestrator')
  const { task_id } = await opened.call('save_context_snapshot', { updates })
  const track = (args: object) => opened.call('track_handoff', args)
  const offer = (more: object = {}) =>
    track({ action: 'offer', to_role: 'reviewer', note: 'Look at the tokens', ...more })
  return { ...opened, task_id, track, offer }
}

test('offered, listed, accepted by one of ten sessions; the same one again is told so, the others who has it', async () => {
  const { call, callError, task_id, track, offer } = await task()
  await call('switch_role', { role: 'implementer' })
  const { handoff } = await offer({ artifacts: ['src/parser.ts'] })
  expect(handoff).toMatchObject({
    task_id,
    version: 1,
    from_role: 'implementer',
    to_role: 'reviewer',
    status: 'pending',
    forced: null,
  })
  expect((await track({ action: 'list' })).open).toMatchObject([
    { handoff_id: handoff.handoff_id, artifacts: ['src/parser.ts'] },
  ])
  const ids: string[] = []
  for (let i = 0; i < 10; i++) ids.push((await call('start_session')).session.session_id)
  const accept = { action: 'accept', handoff_id: handoff.handoff_id }
  const answers = await Promise.allSettled(ids.map((session_id) => track({ ...accept, session_id })))
  const won = answers.findIndex(({ status }) => status === 'fulfilled')
  expect(answers.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
  expect(await track({ ...accept, session_id: ids[won] })).toMatchObject({
    handoff: { status: 'accepted', decided_by: ids[won] },
  })
  expect(await callError('track_handoff', { ...accept, action: 'withdraw' })).toMatchObject({ number: 'E14018' })
  expect((await track({ action: 'list' })).open).toEqual([])
})

test('a closed gate refuses, and says what is missing; forced, it is on record', async () => {
  const { call, callError, offer } = await task({ goal: 'x', done_steps: ['y'] })
  await call('switch_role', { role: 'implementer' })
  const fault = await callError('track_handoff', { action: 'offer', to_role: 'reviewer', note: 'n' })
  expect(fault).toMatchObject({ number: 'E14017' })
  expect(fault.details?.['faults']).toContainEqual({
    path: 'task_id',
    message: 'next_action is handed over, and is empty.',
  })
  const { handoff } = await offer({ force: 'I am ill' })
  expect(handoff.forced).toMatchObject({
    reason: 'I am ill',
    unmet: expect.arrayContaining(['tests is handed over, and is empty.']),
  })
})

test('rejected with a reason, withdrawn without; bad input changes nothing', async () => {
  const { callError, db, track, offer } = await task()
  const first = (await offer({ to_role: undefined, recipient: 'Ada' })).handoff.handoff_id
  expect(await callError('track_handoff', { action: 'reject', handoff_id: first })).toMatchObject({
    code: 'INVALID_INPUT',
  })
  expect(await track({ action: 'reject', handoff_id: first, reason: 'not mine' })).toMatchObject({
    handoff: { status: 'rejected', reason: 'not mine' },
  })
  const second = (await offer()).handoff.handoff_id
  const stranger = await open('context-orchestrator', { db })
  expect(await stranger.callError('track_handoff', { action: 'accept', handoff_id: second })).toMatchObject({
    code: 'NOT_FOUND',
  })
  expect(await track({ action: 'withdraw', handoff_id: second })).toMatchObject({ handoff: { status: 'withdrawn' } })
  expect(await callError('track_handoff', { action: 'offer', note: 'n' })).toMatchObject({ code: 'INVALID_INPUT' })
  expect(await callError('track_handoff', { action: 'offer', to_role: 'wizard', note: 'n' })).toMatchObject({
    code: 'NOT_FOUND',
  })
  expect(await callError('track_handoff', { action: 'accept' })).toMatchObject({ code: 'INVALID_INPUT' })
})
