import { open, testDatabase } from '@story-portal/shared/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'

const SILENCE = 300_000
/** Its clock is moved, and the sessions of other files are not to crash by that. */
let db: Awaited<ReturnType<typeof testDatabase>>
beforeAll(async () => {
  db = await testDatabase()
})
afterAll(() => db.close())

test('in the first minute: what was saved with nothing before it comes back to a new session', async () => {
  const { call } = await open('context-orchestrator')
  expect(await call('check_recovery')).toEqual({ task: null, prompt: null, omitted: [], lost: null, taken: null })
  const updates = {
    goal: 'Ship 1.0',
    next_action: 'Run the tests',
    decisions: [{ decision: 'Use tar', reason: 'small' }],
  }
  const { task_id } = await call('save_context_snapshot', { updates })
  const { session_id } = (await call('start_session')).session
  const back = await call('check_recovery', { session_id })
  expect(back).toMatchObject({ task: { task_id, version: 1, checkpoint: updates }, lost: null, taken: null })
  expect(back.prompt).toMatch(/^You go on with "Ship 1.0" in project default/)
  expect(back.prompt).toContain('Next action: Run the tests')
  expect(back.prompt).toContain('- Use tar (reason: small)')
})

test('a silent session is taken over by one of ten who ask at once; the others are told by whom', async () => {
  const { call } = await open('context-orchestrator', { db })
  const lost = (await call('start_session', { assistant: 'First' })).session.session_id
  const { task_id } = await call('save_context_snapshot', {
    session_id: lost,
    updates: { goal: 'x', next_action: 'y' },
  })
  await call('create_task_context', { title: 'what somebody else began meanwhile' })
  const ids = (await Promise.all(Array.from({ length: 10 }, () => call('start_session')))).map(
    ({ session }) => session.session_id,
  )
  expect((await call('check_recovery')).lost).toBeNull()
  db.advance(SILENCE + 1_000)
  for (const session_id of ids) await call('heartbeat_session', { session_id })
  const answers = await Promise.all(ids.map((session_id) => call('check_recovery', { session_id })))
  const winners = answers.filter((answer) => answer.lost?.session_id === lost)
  expect(winners).toHaveLength(1)
  expect(winners[0]).toMatchObject({ lost: { assistant: 'First', taken_over: true }, task: { task_id } })
  const winner = ids[answers.indexOf(winners[0])]
  for (const answer of answers.filter((one) => one !== winners[0] && one.taken))
    expect(answer.taken).toMatchObject({ session_id: lost, by: winner })
  expect((await call('check_recovery', { session_id: ids[0] })).taken).toMatchObject({ session_id: lost, by: winner })
})

test('who asks without a session sees what is lost and takes nothing', async () => {
  const { call } = await open('context-orchestrator', { db })
  const lost = (await call('start_session')).session.session_id
  await call('save_context_snapshot', { session_id: lost, updates: { goal: 'x' } })
  db.advance(SILENCE + 1_000)
  for (let i = 0; i < 2; i++)
    expect((await call('check_recovery')).lost).toMatchObject({ session_id: lost, taken_over: false })
  const { session_id } = (await call('start_session')).session
  expect((await call('check_recovery', { session_id })).lost).toMatchObject({ session_id: lost, taken_over: true })
})

test('a save with its session is a sign of life', async () => {
  const { call } = await open('context-orchestrator', { db })
  const { session_id } = (await call('start_session')).session
  db.advance(SILENCE - 10_000)
  await call('save_context_snapshot', { session_id, updates: { goal: 'x' } })
  db.advance(SILENCE - 10_000)
  expect((await call('check_recovery')).lost).toBeNull()
})

test('the prompt keeps to its budget and says what is left out', async () => {
  const { call } = await open('context-orchestrator')
  const done_steps = Array.from({ length: 200 }, (_, i) => `step ${i} ${'x'.repeat(50)}`)
  await call('save_context_snapshot', { updates: { goal: 'g', next_action: 'n', done_steps } })
  const { prompt, omitted } = await call('check_recovery', { max_tokens: 300 })
  expect(prompt.length).toBeLessThan(300 * 4 + 300)
  expect(prompt).toContain('step 199')
  expect(prompt).toContain('Left out for length: done_steps')
  expect(omitted).toMatchObject([{ part: 'done_steps' }])
})

test('another tenant, and another project, have nothing to recover', async () => {
  const mine = await open('context-orchestrator', { db })
  const lost = (await mine.call('start_session', { project: 'mine' })).session.session_id
  await mine.call('save_context_snapshot', { session_id: lost, project: 'mine', updates: { goal: 'x' } })
  db.advance(SILENCE + 1_000)
  const stranger = await open('context-orchestrator', { db })
  expect(await stranger.call('check_recovery', { project: 'mine' })).toMatchObject({ task: null, lost: null })
  expect(await mine.call('check_recovery', { project: 'other' })).toMatchObject({ task: null, lost: null })
  expect(await stranger.callError('check_recovery', { session_id: lost })).toMatchObject({ code: 'NOT_FOUND' })
})
