import { open } from '@story-portal/shared/testing'
import { expect, test } from 'vitest'

test('now, at a time, and at a position', async () => {
  const { call, db } = await open('data')
  const { record: first } = await call('create_record', { kind: 'goal', data: { title: 'one' } })
  db.advance(60_000)
  const { record: second } = await call('update_record', { kind: 'goal', id: first.id, changes: { title: 'two' } })
  const get = async (as_of?: string) =>
    (await call('get_record', { kind: 'goal', id: first.id, ...(as_of ? { as_of } : {}) })).record
  expect(await get()).toEqual(second)
  expect(await get(first.updated_at)).toEqual(first)
  expect(await get(new Date(Date.parse(second.updated_at) - 1).toISOString())).toEqual(first)
  const { items } = await call('list_events', { stream: `goal/${first.id}` })
  expect(await get(items[0].position)).toEqual(first)
  expect(await get(items[1].position)).toEqual(second)
})

test('a deleted record is there when asked for, and before it was deleted', async () => {
  const { call, callError } = await open('data')
  const { record } = await call('create_record', { kind: 'goal', data: { title: 'x' } })
  const { items } = await call('list_events', { stream: `goal/${record.id}` })
  await call('delete_record', { kind: 'goal', id: record.id })
  const args = { kind: 'goal', id: record.id }
  expect(await callError('get_record', args)).toMatchObject({ code: 'NOT_FOUND', number: 'E0004' })
  expect((await call('get_record', { ...args, include_deleted: true })).record.deleted_at).not.toBeNull()
  expect((await call('get_record', { ...args, as_of: items[0].position })).record).toEqual(record)
})

test.each([
  ['an unknown id', { kind: 'goal', id: 'gol_x' }, 'NOT_FOUND', undefined],
  ['an id with NUL', { kind: 'goal', id: 'gol_\0' }, 'INVALID_INPUT', 'id'],
  ['an unknown kind', { kind: 'wish', id: 'x' }, 'INVALID_INPUT', 'kind'],
  ['neither time nor position', { kind: 'goal', id: 'gol_x', as_of: 'before' }, 'INVALID_INPUT', 'as_of'],
  ['a position that can not be', { kind: 'goal', id: 'gol_x', as_of: '9'.repeat(20) }, 'INVALID_INPUT', 'as_of'],
  ['an unknown argument', { kind: 'goal', id: 'gol_x', asof: 'now' }, 'INVALID_INPUT', 'asof'],
])('%s', async (_name, args, code, path) => {
  const { callError } = await open('data')
  const error = await callError('get_record', args)
  expect(error.code).toBe(code)
  expect(error.details?.faults?.[0]?.path).toBe(path)
})

test('another tenant finds nothing', async () => {
  const mine = await open('data')
  const { record } = await mine.call('create_record', { kind: 'goal', data: { title: 'x' } })
  const theirs = await open('data')
  expect(await theirs.callError('get_record', { kind: 'goal', id: record.id })).toMatchObject({ code: 'NOT_FOUND' })
})
