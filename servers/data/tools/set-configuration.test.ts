import { readConfigurations } from '@story-portal/shared/data'
import { open } from '@story-portal/shared/testing'
import { expect, test } from 'vitest'

const schema = { type: 'object', properties: { limit: { type: 'integer', minimum: 1 } }, additionalProperties: false }

test('each value is a new version, and running parts see it without a restart', async () => {
  const { call, host, tenant } = await open('data')
  const reader = await readConfigurations(host.db, 'test')
  const first = await call('set_configuration', {
    key: 'engine.limits',
    value: { limit: 1 },
    schema,
    expected_version: 0,
  })
  await expect.poll(() => reader.get(tenant, 'engine.limits', null)).toEqual({ limit: 1 })
  const second = await call('set_configuration', { key: 'engine.limits', value: { limit: 2 }, reason: 'more' })
  await expect.poll(() => reader.get(tenant, 'engine.limits', null)).toEqual({ limit: 2 })
  await reader.close()
  expect([first.configuration.version, second.configuration.version]).toEqual([1, 2])
  const { items } = await call('get_record_history', { kind: 'configuration', id: first.configuration.id })
  expect(items[1]).toMatchObject({ reason: 'more', changes: { value: { from: { limit: 1 }, to: { limit: 2 } } } })
})

test.each([
  ['a value that does not fit', { value: { limit: 0 } }, 'INVALID_INPUT', 'value.limit'],
  ['an unknown member', { value: { limits: 1 } }, 'INVALID_INPUT', 'value.limits'],
  ['a schema that is none', { value: 1, schema: { type: 'nope' } }, 'INVALID_INPUT', 'schema'],
  ['null', { value: null }, 'INVALID_INPUT', 'value'],
  ['nothing', {}, 'INVALID_INPUT', 'value'],
  ['a pattern without end', { value: `${'a'.repeat(40)}!`, schema: { pattern: '^(a+)+$' } }, 'INVALID_INPUT', 'value'],
  ['another version', { value: { limit: 2 }, expected_version: 7 }, 'CONFLICT', 'expected_version'],
])('%s is refused and the stored value stays', async (_name, args, code, path) => {
  const { call, callError } = await open('data')
  await call('set_configuration', { key: 'a.b', value: { limit: 1 }, schema })
  const error = await callError('set_configuration', { key: 'a.b', ...args })
  expect(error.code).toBe(code)
  expect(error.details?.faults?.[0]?.path).toBe(path)
  expect((await call('get_configuration', { key: 'a.b' })).configuration).toMatchObject({
    version: 1,
    value: { limit: 1 },
  })
})

test('a reader may not', async () => {
  const { callError } = await open('data', { caller: { roles: ['reader'] } })
  expect(await callError('set_configuration', { key: 'a.b', value: 1 })).toMatchObject({ code: 'DENIED' })
})
