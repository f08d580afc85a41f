import { open, testDatabase } from '@story-portal/shared/testing'
import { expect, onTestFinished, test } from 'vitest'

async function two() {
  const db = await testDatabase()
  onTestFinished(() => db.close())
  const opened = await open('context-orchestrator', { db })
  const { call } = opened
  const { task_id } = await call('save_context_snapshot', { updates: { goal: 'x' } })
  const session = async () => (await call('start_session')).session.session_id as string
  const lease = (session_id: string, more: object = { task_id }) => call('acquire_lease', { session_id, ...more })
  return { ...opened, db, task_id, lease, session, a: await session(), b: await session() }
}

test('all or none, for who comes first; the others hear who holds it and until when', async () => {
  const { a, b, lease, task_id, call } = await two()
  const first = await lease(a, { task_id, paths: ['src/a.ts'] })
  expect(first).toMatchObject({
    granted: true,
    held: [],
    leases: [{ thing: 'src/a.ts', fence: '1' }, { thing: task_id }],
  })
  const refused = await lease(b, { paths: ['src/b.ts', 'src/a.ts'] })
  expect(refused).toMatchObject({ granted: false, leases: [], held: [{ thing: 'src/a.ts', session_id: a }] })
  expect((await lease(a, { paths: ['src/a.ts'] })).leases).toMatchObject([{ fence: '1' }])
  expect(await call('release_lease', { session_id: a, paths: ['src/a.ts', 'src/c.ts'] })).toEqual({
    released: ['src/a.ts'],
  })
  expect((await lease(b, { paths: ['src/b.ts', 'src/a.ts'] })).leases).toMatchObject([{ fence: '2' }, { fence: '1' }])
  expect(await call('release_lease', { session_id: a })).toEqual({ released: [task_id] })
})

test('twenty who ask at once: one gets it', async () => {
  const { lease, session } = await two()
  const ids: string[] = []
  for (let i = 0; i < 20; i++) ids.push(await session())
  const answers = await Promise.all(ids.map((id) => lease(id)))
  expect(answers.filter(({ granted }) => granted)).toHaveLength(1)
})

test('a lease ends with its time and with its session; what a sleeper saves then is kept as a conflict, never over the holder', async () => {
  const { a, b, call, db, lease, task_id } = await two()
  await lease(a, { task_id, ttl_ms: 60_000 })
  expect(await lease(b)).toMatchObject({ granted: false })
  db.advance(61_000)
  expect(await lease(b)).toMatchObject({ granted: true, leases: [{ fence: '2', session_id: b }] })
  const late = { session_id: a, task_id, updates: { notes: 'late' } }
  const { version, conflict } = await call('save_context_snapshot', late)
  expect({ version, conflict }).toMatchObject({ version: 1, conflict: { held_by: { session_id: b, fence: '2' } } })
  expect(await call('save_context_snapshot', { ...late, session_id: b, updates: { notes: 'mine' } })).toMatchObject({
    version: 2,
  })
  await call('end_session', { session_id: b })
  const { conflict_id } = conflict
  expect(await call('resolve_conflict', { conflict_id, outcome: 'keep_yours' })).toMatchObject({ version: 3 })
  expect(await lease(a)).toMatchObject({ granted: true, leases: [{ fence: '3' }] })
})

test('bad input changes nothing', async () => {
  const { a, call, callError, task_id } = await two()
  const fault = (args: object) => callError('acquire_lease', { session_id: a, ...args })
  expect(await fault({})).toMatchObject({ code: 'INVALID_INPUT' })
  expect(await fault({ task_id: 'tcx_nobody' })).toMatchObject({ code: 'NOT_FOUND' })
  const { task_id: far } = await call('create_task_context', { title: 'far', project: 'elsewhere' })
  expect(await fault({ task_id: far })).toMatchObject({ number: 'E14031' })
  await call('end_session', { session_id: a })
  expect(await fault({ task_id })).toMatchObject({ number: 'E14030' })
})
