import { open } from '@story-portal/shared/testing'
import { expect, test } from 'vitest'

test('by prefix, by words, page by page, long values left out', async () => {
  const { call, callError } = await open('data')
  await call('set_configuration', { key: 'a.one', value: 1, description: 'pumps of the boat' })
  await call('set_configuration', { key: 'a.two', value: 'x'.repeat(5000) })
  await call('set_configuration', { key: 'b.one', value: [1] })
  const keys = async (args: object) =>
    (await call('list_configurations', args)).items.map((item: { key: string }) => item.key)
  expect(await keys({})).toEqual(['a.one', 'a.two', 'b.one'])
  expect(await keys({ prefix: 'a.' })).toEqual(['a.one', 'a.two'])
  expect(await keys({ query: 'pump' })).toEqual(['a.one'])
  const first = await call('list_configurations', { limit: 2 })
  expect(first.items[0]).toMatchObject({ key: 'a.one', value: 1, version: 1 })
  expect(first.items[1]).toMatchObject({ key: 'a.two', omitted: ['value'] })
  expect(await keys({ limit: 2, cursor: first.next_cursor })).toEqual(['b.one'])
  expect(await callError('list_configurations', { prefix: 'a.', cursor: first.next_cursor })).toMatchObject({
    number: 'E0014',
  })
})
