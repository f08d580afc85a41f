import { expect, test } from 'vitest'
import { fileDatabase, testTenant } from '../testing/index.ts'
import {
  deleteRecord,
  findConfiguration,
  readConfigurations,
  recordHistory,
  type Setting,
  setConfiguration,
} from './index.ts'

const schema = { type: 'object', properties: { limit: { type: 'integer', minimum: 1 } }, required: ['limit'] }

async function tenant() {
  const db = await fileDatabase()
  const scope = testTenant()
  const set = (setting: Omit<Setting, 'key'>) => db.tx(scope, (tx) => setConfiguration(tx, { key: 'a.b', ...setting }))
  const find = () => db.tx(scope, (tx) => findConfiguration(tx, 'a.b'))
  return { db, scope, set, find }
}

test('a value is kept as a new version each time, checked against the schema it came with', async () => {
  const { db, scope, set, find } = await tenant()
  expect(await find()).toBeUndefined()
  const first = await set({ value: { limit: 1 }, schema, description: 'a limit', expected_version: 0 })
  const second = await set({ value: { limit: 2 }, reason: 'more', expected_version: 1 })
  expect(second).toMatchObject({ id: first.id, version: 2, value: { limit: 2 }, schema, description: 'a limit' })
  await expect(set({ value: { limit: 0 } })).rejects.toMatchObject({
    number: 'E0409',
    details: { faults: [{ path: 'value.limit' }] },
  })
  await expect(set({ value: { limit: 3 }, schema: { type: 'nope' } })).rejects.toMatchObject({
    number: 'E0410',
    details: { faults: [{ path: 'schema' }] },
  })
  await expect(set({ value: { limit: 3 }, expected_version: 1 })).rejects.toMatchObject({ number: 'E0012' })
  await expect(set({ value: null })).rejects.toMatchObject({
    number: 'E0409',
    details: { faults: [{ path: 'value' }] },
  })
  await expect(set({ value: { limit: 3, text: '\0' } })).rejects.toMatchObject({ number: 'E0302' })
  expect(await find()).toEqual(second)
  const history = await db.tx(scope, (tx) => recordHistory(tx, 'configuration', first.id))
  expect(history.map((entry) => entry.reason)).toEqual([null, 'more'])
})

test('an expected version of one that does not exist, and a deleted one set again', async () => {
  const { db, scope, set, find } = await tenant()
  await expect(set({ value: 1, expected_version: 2 })).rejects.toMatchObject({
    number: 'E0012',
    details: { actual: 0 },
  })
  const { id } = await set({ value: 1 })
  await db.tx(scope, (tx) => deleteRecord(tx, 'configuration', id))
  expect(await find()).toBeUndefined()
  expect(await set({ value: 2 })).toMatchObject({ id, version: 4, value: 2, deleted_at: null })
})

test('parallel first writers of a key make one configuration', async () => {
  const { set } = await tenant()
  const all = await Promise.all(Array.from({ length: 8 }, (_, i) => set({ value: i })))
  expect(new Set(all.map((one) => one.id)).size).toBe(1)
  expect(all.map((one) => one.version).sort()).toEqual([1, 2, 3, 4, 5, 6, 7, 8])
})

test('a reader in any process sees the new value without a restart', async () => {
  const { db, scope, set } = await tenant()
  const reader = await readConfigurations(db, 'test')
  expect(await reader.get(scope.tenant_id, 'a.b', 'none')).toBe('none')
  await set({ value: 'one' })
  await expect.poll(() => reader.get(scope.tenant_id, 'a.b', 'none')).toBe('one')
  await set({ value: 'two' })
  await expect.poll(() => reader.get(scope.tenant_id, 'a.b', 'none')).toBe('two')
  expect(await reader.get(testTenant().tenant_id, 'a.b', 'none')).toBe('none')
  await reader.close()
})
