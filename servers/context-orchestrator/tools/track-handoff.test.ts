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
  for (const session_id of ids) await call('switch_role', { role: 'reviewer', session_id })
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
  const first = (await offer({ to_role: undefined, recipient: 'user:local' })).handoff.handoff_id
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

test('only the one it names decides: a subject, a session, an assistant; anybody else is told who may', async () => {
  const { call, callError, db, tenant, track, offer } = await task()
  const ben = await open('context-orchestrator', { db, caller: { tenant_id: tenant, subject: 'user:ben' } })
  const { session_id: ada } = (await call('start_session', { assistant: 'Ada' })).session
  const { session_id: eve } = (await call('start_session', { assistant: 'Eve' })).session
  const given = async (recipient: string) =>
    (await offer({ to_role: undefined, recipient })).handoff.handoff_id as string
  const denied = { code: 'DENIED', number: 'E14019' }

  const toBen = await given('user:ben')
  const refused = await callError('track_handoff', { action: 'accept', handoff_id: toBen, session_id: ada })
  expect(refused).toMatchObject({ ...denied, hint: expect.stringContaining('user:ben may') })
  expect(await ben.call('track_handoff', { action: 'accept', handoff_id: toBen })).toMatchObject({
    handoff: { status: 'accepted', decided_by: 'user:ben', offered_by: 'user:local' },
  })

  for (const recipient of [ada, 'Ada']) {
    const handoff_id = await given(recipient)
    const reject = { action: 'reject', handoff_id, reason: 'no' }
    expect(await callError('track_handoff', reject)).toMatchObject(denied)
    expect(await callError('track_handoff', { ...reject, session_id: eve })).toMatchObject(denied)
    expect(await ben.callError('track_handoff', { ...reject, session_id: ada })).toMatchObject({ number: 'E14032' })
    expect(await track({ ...reject, session_id: ada })).toMatchObject({ handoff: { decided_by: ada } })
  }
  expect(await callError('track_handoff', { action: 'offer', recipient: 'ses_nobody', note: 'n' })).toMatchObject({
    code: 'NOT_FOUND',
  })
})

test('where it names a role, who holds that role on the task now decides', async () => {
  const { call, callError, db, tenant, task_id, track, offer } = await task()
  const ben = await open('context-orchestrator', { db, caller: { tenant_id: tenant, subject: 'user:ben' } })
  const { session_id } = (await call('start_session')).session
  const { handoff_id } = (await offer()).handoff
  const accept = { action: 'accept', handoff_id }
  const refused = await callError('track_handoff', accept)
  expect(refused).toMatchObject({ code: 'DENIED', number: 'E14019', hint: expect.stringContaining('role reviewer') })
  await call('switch_role', { role: 'reviewer', session_id })
  expect(await callError('track_handoff', accept)).toMatchObject({ number: 'E14019' })
  await call('switch_role', { role: 'tester', session_id })
  expect(await callError('track_handoff', { ...accept, session_id })).toMatchObject({ number: 'E14019' })
  await ben.call('switch_role', { role: 'reviewer', task_id })
  expect(await callError('track_handoff', accept)).toMatchObject({ number: 'E14019' })
  expect((await track({ action: 'list' })).open).toHaveLength(1)
  expect(await ben.call('track_handoff', accept)).toMatchObject({ handoff: { decided_by: 'user:ben' } })
})

test('only who gave it withdraws it; of a session that is over, its subject', async () => {
  const { call, callError, db, tenant, track, offer } = await task()
  const ben = await open('context-orchestrator', { db, caller: { tenant_id: tenant, subject: 'user:ben' } })
  const { session_id } = (await call('start_session')).session
  const { handoff_id, offered_by } = (await offer({ session_id })).handoff
  expect(offered_by).toBe(session_id)
  const withdraw = { action: 'withdraw', handoff_id }
  const refused = await callError('track_handoff', withdraw)
  expect(refused).toMatchObject({ code: 'DENIED', number: 'E14019', hint: expect.stringContaining(session_id) })
  expect(await ben.callError('track_handoff', withdraw)).toMatchObject({ number: 'E14019' })
  await call('end_session', { session_id })
  expect(await ben.callError('track_handoff', withdraw)).toMatchObject({ number: 'E14019' })
  expect(await track(withdraw)).toMatchObject({ handoff: { status: 'withdrawn', decided_by: 'user:local' } })
})

test("the gate is that of the giver's own role on the task", async () => {
  const { call, callError, offer } = await task({ ...READY, tests: [] })
  const { session_id } = (await call('start_session')).session
  await call('switch_role', { role: 'planner' })
  await call('switch_role', { role: 'implementer', session_id })
  const offered = { action: 'offer', to_role: 'reviewer', note: 'n', session_id }
  const fault = await callError('track_handoff', offered)
  expect(fault.details?.['faults']).toContainEqual({
    path: 'task_id',
    message: 'tests is handed over, and is empty.',
  })
  expect((await offer({ session_id, force: 'late' })).handoff).toMatchObject({ from_role: 'implementer' })
})

test('list with a task shows the open ones of that task alone', async () => {
  const { call, callError, task_id, track, offer } = await task()
  const first = (await offer()).handoff.handoff_id
  const { task_id: other } = await call('create_task_context', { title: 'Other', updates: READY })
  const second = (await offer({ task_id: other })).handoff.handoff_id
  const openOf = async (args: object) =>
    ((await track({ action: 'list', ...args })).open as { handoff_id: string }[]).map((one) => one.handoff_id)
  expect(await openOf({})).toEqual([first, second])
  expect(await openOf({ task_id })).toEqual([first])
  expect(await openOf({ task_id: other, project: 'elsewhere' })).toEqual([second])
  expect(await callError('track_handoff', { action: 'list', task_id: 'tcx_nobody' })).toMatchObject({
    code: 'NOT_FOUND',
  })
})
