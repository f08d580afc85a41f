import { open } from '@story-portal/shared/testing'
import { expect, test } from 'vitest'

test('a deleted record is gone from reads and lists, its history stays', async () => {
  const { call, callError } = await open('data')
  const { record } = await call('create_record', { kind: 'goal', data: { title: 'x' } })
  const args = { kind: 'goal', id: record.id }
  const deleted = await call('delete_record', { ...args, reason: 'done with it' })
  expect(deleted.record).toMatchObject({ version: 2, deleted_at: expect.any(String) })
  expect((await call('list_records', { kind: 'goal' })).items).toEqual([])
  expect((await call('list_records', { kind: 'goal', include_deleted: true })).items).toHaveLength(1)
  const { items } = await call('get_record_history', args)
  expect(items.at(-1)).toMatchObject({ type: 'goal.deleted', reason: 'done with it' })
  expect(await callError('delete_record', args)).toMatchObject({
    code: 'NOT_FOUND',
    hint: expect.stringContaining('restore'),
  })
  expect(await callError('update_record', { ...args, changes: { title: 'y' } })).toMatchObject({ code: 'NOT_FOUND' })
})

test('another version, an unknown id, and a kind with its own tools are refused', async () => {
  const { call, callError } = await open('data')
  const { record } = await call('create_record', { kind: 'goal', data: { title: 'x' } })
  const stale = await callError('delete_record', { kind: 'goal', id: record.id, expected_version: 3 })
  expect(stale).toMatchObject({ code: 'CONFLICT', details: { actual: 1 } })
  expect(await callError('delete_record', { kind: 'goal', id: 'gol_x' })).toMatchObject({ code: 'NOT_FOUND' })
  expect(await callError('delete_record', { kind: 'run', id: 'run_x' })).toMatchObject({ number: 'E0404' })
  expect((await call('get_record', { kind: 'goal', id: record.id })).record.version).toBe(1)
})

test('a reader may not', async () => {
  const { callError } = await open('data', { caller: { roles: ['reader'] } })
  expect(await callError('delete_record', { kind: 'goal', id: 'gol_x' })).toMatchObject({ code: 'DENIED' })
})
