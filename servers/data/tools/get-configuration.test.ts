import { open } from '@story-portal/shared/testing'
import { expect, test } from 'vitest'

test('value, version and schema', async () => {
  const { call } = await open('data')
  const schema = { type: 'integer' }
  await call('set_configuration', { key: 'a.b', value: 1, schema, description: 'a number' })
  const { configuration } = await call('get_configuration', { key: 'a.b' })
  expect(configuration).toMatchObject({ key: 'a.b', value: 1, version: 1, schema, description: 'a number' })
})

test('an unknown key, and one that can be none', async () => {
  const { callError } = await open('data')
  expect(await callError('get_configuration', { key: 'a.b' })).toMatchObject({ number: 'E1001', code: 'NOT_FOUND' })
  const error = await callError('get_configuration', { key: 'Not a key' })
  expect(error).toMatchObject({
    code: 'INVALID_INPUT',
    details: { faults: [expect.objectContaining({ path: 'key' })] },
  })
})
