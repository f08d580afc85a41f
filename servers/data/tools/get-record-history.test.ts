import { open } from '@story-portal/shared/testing'
import { expect, test } from 'vitest'

test('each change with who, why and what, page by page', async () => {
  const { call, callError, caller } = await open('data')
  const { record } = await call('create_record', { kind: 'goal', data: { title: 'one' } })
  const args = { kind: 'goal', id: record.id }
  await call('update_record', { ...args, changes: { title: 'two', status: 'active' }, reason: 'clearer' })
  await call('delete_record', args)
  const first = await call('get_record_history', { ...args, limit: 2 })
  expect(first.items.map((item: { type: string }) => item.type)).toEqual(['goal.created', 'goal.updated'])
  expect(first.items[1]).toMatchObject({
    version: 2,
    by: caller.subject,
    reason: 'clearer',
    changes: { title: { from: 'one', to: 'two' }, status: { from: 'pending', to: 'active' } },
  })
  const second = await call('get_record_history', { ...args, limit: 2, cursor: first.next_cursor })
  expect(second.items).toHaveLength(1)
  expect(second.next_cursor).toBeNull()
  const { record: other } = await call('create_record', { kind: 'goal', data: { title: 'other' } })
  const foreign = await callError('get_record_history', { kind: 'goal', id: other.id, cursor: first.next_cursor })
  expect(foreign).toMatchObject({ number: 'E0014' })
})

test('of a record that never was', async () => {
  const { callError } = await open('data')
  expect(await callError('get_record_history', { kind: 'goal', id: 'gol_x' })).toMatchObject({ code: 'NOT_FOUND' })
})
