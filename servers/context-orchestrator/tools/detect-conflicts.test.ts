import { open } from '@story-portal/shared/testing'
import { expect, test } from 'vitest'

async function project() {
  const opened = await open('context-orchestrator')
  const { call } = opened
  const task = async (title: string, updates: object) =>
    (await call('create_task_context', { title, updates })).task_id as string
  /** A session at work on a task. */
  const session = async (task_id: string) => {
    const { session_id } = (await call('start_session', { task_id })).session
    return session_id as string
  }
  const detect = async () => (await call('detect_conflicts')).conflicts
  return { ...opened, task, session, detect }
}

const file = (sha256: string) => ({ goal: 'x', key_files: [{ path: 'src/a.ts', sha256 }] })

test('two sessions that know one file with different contents; found again it is the same conflict, gone it is resolved', async () => {
  const { call, task, session, detect } = await project()
  const a = await task('A', file('1'.repeat(64)))
  const b = await task('B', file('2'.repeat(64)))
  await session(a)
  expect(await detect()).toEqual([])
  const second = await session(b)
  const [found, ...more] = await detect()
  expect(more).toEqual([])
  expect(found).toMatchObject({
    kind: 'file_conflict',
    status: 'open',
    sides: { path: 'src/a.ts', [a]: '1'.repeat(64) },
  })
  expect(await detect()).toEqual([found])
  const { conflicts } = await call('get_unified_context', { task_id: found.task_id })
  expect(conflicts).toEqual([{ conflict_id: found.conflict_id, kind: 'file_conflict', explanation: found.explanation }])
  await call('end_session', { session_id: second })
  expect(await call('detect_conflicts')).toMatchObject({ conflicts: [], gone: 1 })
  await session(b)
  expect(await detect()).toMatchObject([{ conflict_id: found.conflict_id, status: 'open' }])
})

test('a locked element that another task works on, work that is completed and is not, two sessions on one task', async () => {
  const { call, task, session, detect } = await project()
  const a = await task('A', { locked_elements: [{ element: 'src/a.ts', reason: 'released' }] })
  await task('B', file('3'.repeat(64)))
  const c = await task('C', { pending_steps: ['publish'] })
  const d = await task('D', { goal: 'y' })
  await call('save_context_snapshot', { task_id: c, updates: {}, status: 'completed' })
  await call('link_tasks', { task_id: c, relation: 'depends_on', target_id: d })
  await session(d)
  await session(d)
  const found = (await detect()).map(({ kind, task_id, explanation }: Record<string, string>) => [
    kind,
    task_id,
    explanation,
  ])
  expect(found).toHaveLength(4)
  expect(found).toEqual(
    expect.arrayContaining([
      ['lock_collision', a, '"A" says that src/a.ts must not be changed; "B" has it as a key file.'],
      ['state_mismatch', c, '"C" is completed, but has steps to do or blockers.'],
      ['state_mismatch', c, '"C" is completed, but "D", on which it depends, is active.'],
      ['state_mismatch', d, '2 sessions work on "D" at once.'],
    ]),
  )
})

test('ten who look at once store each conflict once; other projects and tenants see none', async () => {
  const { call, db, task, session, detect } = await project()
  const a = await task('A', { goal: 'x' })
  await session(a)
  await session(a)
  const answers = await Promise.all(Array.from({ length: 10 }, detect))
  expect(new Set(answers.flat().map(({ conflict_id }) => conflict_id)).size).toBe(1)
  expect(await call('detect_conflicts', { project: 'nowhere' })).toMatchObject({ conflicts: [] })
  const stranger = await open('context-orchestrator', { db })
  expect(await stranger.call('detect_conflicts')).toMatchObject({ conflicts: [] })
  const { detectors } = await call('detect_conflicts')
  expect(detectors).toContainEqual({
    name: 'specification_contradiction',
    ran: false,
    reason: 'The document-consolidator is not there.',
  })
})
