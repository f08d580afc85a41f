import { open } from '@story-portal/shared/testing'
import { expect, test } from 'vitest'

test('a deleted record comes back as it was, as a new version', async () => {
  const { call } = await open('data')
  const { record } = await call('create_record', { kind: 'goal', data: { title: 'x', labels: { a: 1 } } })
  const args = { kind: 'goal', id: record.id }
  await call('delete_record', args)
  const restored = (await call('restore_record', args)).record
  const { version, updated_at, ...same } = record
  expect(restored).toMatchObject({ ...same, version: version + 2 })
  expect(Date.parse(restored.updated_at)).toBeGreaterThanOrEqual(Date.parse(updated_at))
  expect((await call('get_record', args)).record).toEqual(restored)
})

test('what is not deleted, or not there, is refused', async () => {
  const { call, callError } = await open('data')
  const { record } = await call('create_record', { kind: 'goal', data: { title: 'x' } })
  expect(await callError('restore_record', { kind: 'goal', id: record.id })).toMatchObject({
    number: 'E0406',
    code: 'CONFLICT',
  })
  expect(await callError('restore_record', { kind: 'goal', id: 'gol_x' })).toMatchObject({ code: 'NOT_FOUND' })
  expect(await callError('restore_record', { kind: 'tool', id: 'tol_x' })).toMatchObject({ number: 'E0404' })
})

test('a reader may not', async () => {
  const { callError } = await open('data', { caller: { roles: ['reader'] } })
  expect(await callError('restore_record', { kind: 'goal', id: 'gol_x' })).toMatchObject({ code: 'DENIED' })
})
