import { open, testDatabase } from '@story-portal/shared/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { beat, lockSession } from '../sessions.ts'

const SILENCE = 300_000
/** Its clock is moved, and the sessions of other files are not to crash by that. */
let db: Awaited<ReturnType<typeof testDatabase>>
beforeAll(async () => {
  db = await testDatabase()
})
afterAll(() => db.close())

test('in the first minute: what was saved with nothing before it comes back to a new session', async () => {
  const { call } = await open('context-orchestrator')
  const nothing = { needs_recovery: false, sessions: [], task: null, omitted: [], taken: null }
  expect(await call('check_recovery')).toEqual(nothing)
  const updates = {
    goal: 'Ship 1.0',
    next_action: 'Run the tests',
    decisions: [{ decision: 'Use tar', reason: 'small' }],
  }
  const { task_id } = await call('save_context_snapshot', { updates })
  const { session_id } = (await call('start_session')).session
  const back = await call('check_recovery', { session_id })
  expect(back).toMatchObject({ needs_recovery: true, task: { task_id, version: 1, checkpoint: updates }, taken: null })
  expect(back.sessions).toMatchObject([{ session_id: null, task_id, status: 'saved' }])
  const [{ resume_prompt: prompt }] = back.sessions
  expect(prompt).toMatch(/^You go on with "Ship 1.0" in project default/)
  expect(prompt).toContain('Next action: Run the tests')
  expect(prompt).toContain('- Use tar (reason: small)')
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
  expect(lostOf(await call('check_recovery'))).toEqual([])
  db.advance(SILENCE + 1_000)
  for (const session_id of ids) await call('heartbeat_session', { session_id })
  const answers = await Promise.all(ids.map((session_id) => call('check_recovery', { session_id })))
  const winners = answers.filter((answer) => lostOf(answer).some((one) => one.taken_over))
  expect(winners).toHaveLength(1)
  expect(lostOf(winners[0])).toMatchObject([{ session_id: lost, assistant: 'First', task_id }])
  expect(winners[0]).toMatchObject({ task: { task_id }, taken: null })
  const winner = ids[answers.indexOf(winners[0])]
  // Every other one is told, also who asked at the same moment.
  const others = answers.filter((answer) => answer !== winners[0])
  expect(others.map(({ taken }) => taken)).toMatchObject(others.map(() => ({ session_id: lost, by: winner })))
  expect(others.flatMap(lostOf)).toEqual([])
})

interface Listed {
  session_id: string | null
  taken_over?: boolean
}

/** Of an answer, what is no mere save. */
const lostOf = ({ sessions }: { sessions: Listed[] }) => sessions.filter(({ session_id }) => session_id !== null)

test('a sign of life that comes while a session is looked for keeps it, even when its finder waits for the lock', async () => {
  const { call, tenant } = await open('context-orchestrator', { db })
  const slow = (await call('start_session', { project: 'race' })).session.session_id
  const { session_id } = (await call('start_session', { project: 'race' })).session
  db.advance(SILENCE + 1_000)
  await call('heartbeat_session', { session_id })
  const scope = { kind: 'tenant', tenant_id: tenant, subject: 'test' } as const
  const locked = Promise.withResolvers<void>()
  const go = Promise.withResolvers<void>()
  const holding = db.tx(scope, async (tx) => {
    await lockSession(tx, slow)
    locked.resolve()
    await go.promise
    await beat(tx, slow)
  })
  // One connection embedded: there the finder waits for the whole transaction, on PostgreSQL for the row.
  await locked.promise
  const asking = call('check_recovery', { session_id })
  await new Promise((resolve) => setTimeout(resolve, 200))
  go.resolve()
  await holding
  expect(lostOf(await asking).filter((one) => one.taken_over)).toEqual([])
  expect((await call('heartbeat_session', { session_id: slow })).session_id).toBe(slow)
})

test('who asks without a session sees what is lost and takes nothing', async () => {
  const { call } = await open('context-orchestrator', { db })
  const lost = (await call('start_session')).session.session_id
  await call('save_context_snapshot', { session_id: lost, updates: { goal: 'x' } })
  db.advance(SILENCE + 1_000)
  for (let i = 0; i < 2; i++)
    expect(lostOf(await call('check_recovery'))).toMatchObject([{ session_id: lost, taken_over: false }])
  const { session_id } = (await call('start_session')).session
  expect(lostOf(await call('check_recovery', { session_id }))).toMatchObject([{ session_id: lost, taken_over: true }])
})

test('a save with its session is a sign of life', async () => {
  const { call } = await open('context-orchestrator', { db })
  const { session_id } = (await call('start_session')).session
  db.advance(SILENCE - 10_000)
  await call('save_context_snapshot', { session_id, updates: { goal: 'x' } })
  db.advance(SILENCE - 10_000)
  expect(lostOf(await call('check_recovery'))).toEqual([])
})

test('the prompt keeps to its budget and says what is left out', async () => {
  const { call } = await open('context-orchestrator')
  const done_steps = Array.from({ length: 200 }, (_, i) => `step ${i} ${'x'.repeat(50)}`)
  await call('save_context_snapshot', { updates: { goal: 'g', next_action: 'n', done_steps } })
  const { sessions, omitted } = await call('check_recovery', { max_tokens: 300 })
  const [{ resume_prompt: prompt }] = sessions
  expect(Buffer.byteLength(prompt)).toBeLessThanOrEqual(300 * 4)
  expect(prompt).toContain('step 199')
  expect(prompt).toContain('Left out: done_steps')
  expect(omitted).toMatchObject([{ part: 'done_steps' }])
})

test('another tenant, and another project, have nothing to recover', async () => {
  const mine = await open('context-orchestrator', { db })
  const lost = (await mine.call('start_session', { project: 'mine' })).session.session_id
  await mine.call('save_context_snapshot', { session_id: lost, project: 'mine', updates: { goal: 'x' } })
  db.advance(SILENCE + 1_000)
  const stranger = await open('context-orchestrator', { db })
  expect(await stranger.call('check_recovery', { project: 'mine' })).toMatchObject({
    needs_recovery: false,
    task: null,
  })
  expect(await mine.call('check_recovery', { project: 'other' })).toMatchObject({ needs_recovery: false, task: null })
  expect(await stranger.callError('check_recovery', { session_id: lost })).toMatchObject({ code: 'NOT_FOUND' })
})
