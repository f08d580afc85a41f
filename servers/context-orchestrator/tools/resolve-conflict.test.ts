import { open } from '@story-portal/shared/testing'
import { expect, test } from 'vitest'

/** A task at version 2, and a save on version 1 that was refused. */
async function diverged() {
  const opened = await open('context-orchestrator')
  const { call } = opened
  const { task_id } = await call('save_context_snapshot', { updates: { goal: 'one', next_action: 'first' } })
  await call('save_context_snapshot', { updates: { next_action: 'theirs' } })
  const late = { updates: { next_action: 'yours', blockers: ['b'] }, expected_version: 1 }
  const { conflict } = await call('save_context_snapshot', late)
  const shown = async () => (await call('get_unified_context')).task
  return { ...opened, task_id, late, conflict_id: conflict.conflict_id as string, shown }
}

test('a refused save is kept with its conflict, sent twice it is one, and can be taken after all', async () => {
  const { call, late, conflict_id, task_id, shown } = await diverged()
  expect((await call('save_context_snapshot', late)).conflict).toMatchObject({ conflict_id })
  const [found] = (await call('detect_conflicts')).conflicts
  expect(found).toMatchObject({ conflict_id, kind: 'version_divergence', sides: { yours: late.updates } })
  const settled = await call('resolve_conflict', { conflict_id, outcome: 'keep_yours', note: 'mine is right' })
  expect(settled).toMatchObject({ task_id, version: 3, conflict: { status: 'resolved' } })
  expect(await shown()).toMatchObject({
    version: 3,
    checkpoint: { goal: 'one', next_action: 'yours', blockers: ['b'] },
  })
  expect(await call('resolve_conflict', { conflict_id, outcome: 'keep_yours' })).toMatchObject({
    version: 3,
    changed: [],
  })
  expect((await call('detect_conflicts')).conflicts).toEqual([])
})

test('keep_theirs changes nothing, merge saves what is sent, dismiss is for good', async () => {
  const theirs = await diverged()
  const kept = await theirs.call('resolve_conflict', { conflict_id: theirs.conflict_id, outcome: 'keep_theirs' })
  expect(kept).toMatchObject({ version: 2, changed: [] })
  const merged = await diverged()
  const updates = { next_action: 'both' }
  await merged.call('resolve_conflict', { conflict_id: merged.conflict_id, outcome: 'merge', updates })
  expect(await merged.shown()).toMatchObject({ version: 3, checkpoint: { next_action: 'both' } })
  const dismissed = await diverged()
  await dismissed.call('resolve_conflict', { conflict_id: dismissed.conflict_id, outcome: 'dismiss' })
  await dismissed.call('save_context_snapshot', dismissed.late)
  expect((await dismissed.call('detect_conflicts')).conflicts).toEqual([])
})

test('reopen and unlock do what they say', async () => {
  const { call } = await open('context-orchestrator')
  const { task_id: a } = await call('create_task_context', {
    ...{ title: 'A', updates: { goal: 'g', locked_elements: [{ element: 'a.ts' }, { element: 'b.ts' }] } },
  })
  const { task_id: b } = await call('create_task_context', {
    ...{ title: 'B', updates: { pending_steps: ['x'], key_files: [{ path: 'a.ts' }] } },
  })
  const kinds = async (): Promise<{ kind: string; conflict_id: string }[]> => (await call('detect_conflicts')).conflicts
  const [lock] = await kinds()
  await call('resolve_conflict', { conflict_id: lock?.conflict_id, outcome: 'unlock' })
  const { task } = await call('get_unified_context', { task_id: a })
  expect(task.checkpoint.locked_elements).toEqual([{ element: 'b.ts' }])
  await call('save_context_snapshot', { task_id: b, updates: {}, status: 'completed' })
  const [state] = await kinds()
  await call('resolve_conflict', { conflict_id: state?.conflict_id, outcome: 'reopen' })
  expect((await call('get_unified_context', { task_id: b })).task.status).toBe('active')
  expect(await kinds()).toEqual([])
})

test('of ten who settle it differently at once one does; bad input changes nothing', async () => {
  const { call, callError, conflict_id, shown, db } = await diverged()
  const fault = (args: object) => callError('resolve_conflict', { conflict_id, ...args })
  expect(await fault({ outcome: 'unlock' })).toMatchObject({ number: 'E14021' })
  expect(await fault({ outcome: 'merge' })).toMatchObject({ code: 'INVALID_INPUT' })
  expect(await fault({ outcome: 'dismiss', updates: {} })).toMatchObject({ code: 'INVALID_INPUT' })
  expect(await fault({ outcome: 'merge', updates: { nothing: 1 } })).toMatchObject({ code: 'INVALID_INPUT' })
  expect(await fault({ conflict_id: 'ccf_nobody', outcome: 'dismiss' })).toMatchObject({ code: 'NOT_FOUND' })
  const stranger = await open('context-orchestrator', { db })
  expect(await stranger.callError('resolve_conflict', { conflict_id, outcome: 'dismiss' })).toMatchObject({
    code: 'NOT_FOUND',
  })
  expect(await shown()).toMatchObject({ version: 2 })
  const outcomes = Array.from({ length: 10 }, (_, i) => (i % 2 === 0 ? 'keep_yours' : 'keep_theirs'))
  const answers = await Promise.allSettled(
    outcomes.map((outcome) => call('resolve_conflict', { conflict_id, outcome })),
  )
  const done = answers.filter(({ status }) => status === 'fulfilled')
  expect(done).toHaveLength(5)
  expect((await shown()).version).toBeLessThanOrEqual(3)
})
