import { open } from '@story-portal/shared/testing'
import { expect, test } from 'vitest'

test('marks the newest version, or the one asked for, and the context shows the marks', async () => {
  const { call } = await open('context-orchestrator')
  const { task_id } = await call('save_context_snapshot', { updates: { goal: 'one' } })
  await call('save_context_snapshot', { updates: { goal: 'two' } })
  const newest = await call('create_checkpoint', { label: 'Now', note: 'all green' })
  expect(newest.checkpoint).toMatchObject({ task_id, version: 2, label: 'Now', note: 'all green' })
  const older = await call('create_checkpoint', { task_id, label: 'Then', version: 1 })
  const { checkpoints } = await call('get_unified_context')
  expect(checkpoints).toHaveLength(2)
  expect(checkpoints).toContainEqual({ checkpoint_id: older.checkpoint.checkpoint_id, version: 1, label: 'Then' })
})

test('what is not there can not be marked', async () => {
  const { call, callError } = await open('context-orchestrator')
  expect(await callError('create_checkpoint', { label: 'x' })).toMatchObject({ number: 'E14001' })
  const { task_id } = await call('save_context_snapshot', { updates: { goal: 'one' } })
  expect(await callError('create_checkpoint', { task_id, label: 'x', version: 2 })).toMatchObject({ code: 'NOT_FOUND' })
  expect(await callError('create_checkpoint', { task_id, label: ' ' })).toMatchObject({ code: 'INVALID_INPUT' })
  const other = await open('context-orchestrator')
  expect(await other.callError('create_checkpoint', { task_id, label: 'x' })).toMatchObject({ code: 'NOT_FOUND' })
})

test('the database refuses to change a mark', async () => {
  const { call, db, tenant } = await open('context-orchestrator')
  await call('save_context_snapshot', { updates: { goal: 'one' } })
  const { checkpoint } = await call('create_checkpoint', { label: 'Kept' })
  const change = db.tx({ kind: 'tenant', tenant_id: tenant, subject: 'user:local' }, (tx) =>
    tx
      .updateTable('core.context_checkpoints')
      .set({ label: 'Other' })
      .where('id', '=', checkpoint.checkpoint_id)
      .execute(),
  )
  await expect(change).rejects.toThrow()
  expect((await call('get_unified_context')).checkpoints).toMatchObject([{ label: 'Kept' }])
})

test('a reader may not', async () => {
  const { callError } = await open('context-orchestrator', { caller: { roles: ['reader'] } })
  expect(await callError('create_checkpoint', { label: 'x' })).toMatchObject({ code: 'DENIED' })
})
