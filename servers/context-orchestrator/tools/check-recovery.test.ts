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

/** A client that worked on A, while the project went on to B, and a session of somebody else was lost on C. */
async function worked(end: 'ended' | 'compacted' | 'crashed') {
  const { call, callError } = await open('context-orchestrator', { db })
  const start = async (client_session_id?: string) =>
    call('start_session', client_session_id === undefined ? {} : { client_session_id })
  const begin = async (title: string) =>
    (await call('create_task_context', { title, updates: { next_action: `Do ${title}` } })).task_id as string
  const a = await begin('A')
  const earlier = (await start('editor')).session.session_id as string
  const c = await begin('C')
  const others = (await start('other')).session.session_id as string
  const b = await begin('B')
  if (end === 'crashed') db.advance(SILENCE + 1_000)
  else await call('end_session', { session_id: earlier, status: end })
  if (end !== 'crashed') await call('end_session', { session_id: others, status: 'compacted' })
  return { call, callError, start, a, b, c, earlier, others }
}

for (const end of ['ended', 'compacted', 'crashed'] as const)
  test(`a client whose own session ${end} goes on with its task, and leaves alone what others have left`, async () => {
    const { call, start, a, b, earlier, others } = await worked(end)
    const inOwnWords = await call('check_recovery', { client_session_id: 'editor' })
    expect(inOwnWords).toMatchObject({ task: { task_id: a }, sessions: [{ task_id: a }, { session_id: others }] })
    expect(inOwnWords.sessions[0].resume_prompt).toContain('Next action: Do A')
    if (end !== 'crashed')
      expect(await call('check_recovery', { session_id: earlier })).toMatchObject({ task: { task_id: a } })

    const { session, resumed } = await start('editor')
    expect(session).toMatchObject({ task_id: a })
    // A crashed session that the sweep has not met is alive again by its start.
    expect(resumed).toBe(end === 'crashed')
    const back = await call(
      'check_recovery',
      resumed ? { client_session_id: 'editor' } : { session_id: session.session_id },
    )
    expect(back).toMatchObject({
      task: { task_id: a },
      sessions: [{ task_id: a, status: 'saved' }, { session_id: others }],
    })
    expect(lostOf(back)).toMatchObject([{ session_id: others, taken_over: false }])

    // Everybody else goes on with what the others have left, or with the current task.
    expect((await call('check_recovery')).task).toMatchObject({ task_id: b })
    const fresh = (await start()).session.session_id
    const taken = await call('check_recovery', { session_id: fresh })
    expect(lostOf(taken)).toContainEqual(expect.objectContaining({ session_id: others, taken_over: true }))
  })

test('a session goes on with the task that it works on, whatever the project has gone on to', async () => {
  const { call } = await open('context-orchestrator', { db })
  const { task_id } = await call('create_task_context', { title: 'A', updates: { next_action: 'Do A' } })
  const { session_id } = (await call('start_session', {})).session
  await call('create_task_context', { title: 'B', updates: { next_action: 'Do B' } })
  const { task, sessions } = await call('check_recovery', { session_id })
  expect([task, sessions]).toMatchObject([{ task_id }, [{ session_id: null, task_id }]])
})

test('a client whose task was completed when its session ended goes on with the current one', async () => {
  const { call } = await open('context-orchestrator', { db })
  const start = async () => (await call('start_session', { client_session_id: 'editor' })).session
  const { task_id } = await call('create_task_context', { title: 'A', updates: { goal: 'a' } })
  const { session_id } = await start()
  const b = (await call('create_task_context', { title: 'B', updates: { goal: 'b' } })).task_id
  await call('save_context_snapshot', { task_id, session_id, updates: {}, status: 'completed' })
  await call('end_session', { session_id })
  expect((await start()).task_id).toBe(b)
})
