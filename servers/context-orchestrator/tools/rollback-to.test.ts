import { open } from '@story-portal/shared/testing'
import { expect, test } from 'vitest'

async function threeVersions() {
  const opened = await open('context-orchestrator')
  const { task_id } = await opened.call('save_context_snapshot', { updates: { goal: 'one', blockers: ['b'] } })
  await opened.call('save_context_snapshot', { updates: { goal: 'two' } })
  await opened.call('save_context_snapshot', { updates: { blockers: null, notes: 'n' } })
  return { ...opened, task_id }
}

test('a rollback is a new version with the content of the old one, and says what is different now', async () => {
  const { call, task_id } = await threeVersions()
  const back = await call('rollback_to', { target: { type: 'version', version: 1 } })
  expect(back).toMatchObject({ task_id, version: 4, restored_from: 1, changed: ['blockers', 'goal', 'notes'] })
  const { task } = await call('get_unified_context')
  expect(task).toMatchObject({ version: 4, checkpoint: { goal: 'one', blockers: ['b'] } })
  const { task: kept } = await call('get_unified_context', { version: 3 })
  expect(kept.checkpoint).toEqual({ goal: 'two', notes: 'n' })
})

test('to a checkpoint, and again forward', async () => {
  const { call } = await threeVersions()
  const { checkpoint } = await call('create_checkpoint', { label: 'Best', version: 2 })
  const { checkpoint_id } = checkpoint
  const back = await call('rollback_to', { target: { type: 'checkpoint', checkpoint_id } })
  expect(back).toMatchObject({ version: 4, restored_from: 2, changed: ['blockers', 'notes'] })
  const forward = await call('rollback_to', { target: { type: 'version', version: 3 }, expected_version: 4 })
  expect(forward).toMatchObject({ version: 5, restored_from: 3, changed: ['blockers', 'notes'] })
})

test('when others have saved meanwhile, nothing is done', async () => {
  const { call, callError, task_id } = await threeVersions()
  const target = { type: 'version', version: 1 }
  const late = await call('rollback_to', { target, expected_version: 2 })
  expect(late).toMatchObject({
    ...{ task_id, version: 3, restored_from: null, changed: [] },
    conflict: { expected_version: 2, current_version: 3, changed_since: ['blockers', 'notes'] },
  })
  expect(await callError('rollback_to', { target, expected_version: 9 })).toMatchObject({ number: 'E14002' })
  expect((await call('get_unified_context')).task.version).toBe(3)
})

test('a target that is not there, or not whole, is refused', async () => {
  const { call, callError, task_id } = await threeVersions()
  const fault = async (target: object, more = {}) => callError('rollback_to', { task_id, target, ...more })
  expect(await fault({ type: 'version', version: 4 })).toMatchObject({ code: 'NOT_FOUND' })
  expect(await fault({ type: 'version' })).toMatchObject({ details: { faults: [{ path: 'target.version' }] } })
  expect(await fault({ type: 'checkpoint' })).toMatchObject({ details: { faults: [{ path: 'target.checkpoint_id' }] } })
  const { task_id: other } = await call('create_task_context', { title: 'Other' })
  const { checkpoint } = await call('create_checkpoint', { task_id: other, label: 'Theirs' })
  const foreign = await fault({ type: 'checkpoint', checkpoint_id: checkpoint.checkpoint_id })
  expect(foreign).toMatchObject({ code: 'NOT_FOUND' })
  expect((await call('get_unified_context', { task_id })).task.version).toBe(3)
})

test('rollbacks and saves at once make versions without gaps', async () => {
  const { call } = await threeVersions()
  const made = await Promise.all(
    Array.from({ length: 10 }, (_, i) =>
      i % 2 === 0
        ? call('rollback_to', { target: { type: 'version', version: 1 + (i % 3) } })
        : call('save_context_snapshot', { updates: { notes: `n${i}` } }),
    ),
  )
  expect(made.map(({ version }) => version).sort((a, b) => a - b)).toEqual([4, 5, 6, 7, 8, 9, 10, 11, 12, 13])
})

test('a reader may not', async () => {
  const { callError } = await open('context-orchestrator', { caller: { roles: ['reader'] } })
  expect(await callError('rollback_to', { target: { type: 'version', version: 1 } })).toMatchObject({ code: 'DENIED' })
})
