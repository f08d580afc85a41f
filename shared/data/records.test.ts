import { sql } from 'kysely'
import { expect, test } from 'vitest'
import { testDatabase, testTenant } from '../testing/index.ts'
import {
  canonicalJson,
  createRecord,
  deleteRecord,
  getRecord,
  listRecords,
  rebuildRecord,
  restoreRecord,
  updateRecord,
} from './index.ts'

test('a record rebuilt from its events equals its row', async () => {
  const db = await testDatabase()
  const scope = testTenant('user:ada')
  const goal = await db.tx(scope, (tx) =>
    createRecord(tx, 'goal', { title: 'Ship', constraints: { b: 1, a: [null, 1.5e300] } }),
  )
  expect(goal).toMatchObject({ version: 1, status: 'pending', created_by: 'user:ada', completes_with: 'plan' })
  await db.tx(scope, (tx) => updateRecord(tx, 'goal', goal.id, { status: 'active' }, { reason: 'go' }))
  await db.tx(scope, (tx) => deleteRecord(tx, 'goal', goal.id))
  await db.tx(scope, (tx) => restoreRecord(tx, 'goal', goal.id))
  const { row, rebuilt, page } = await db.tx(scope, async (tx) => ({
    row: await getRecord(tx, 'goal', goal.id),
    rebuilt: await rebuildRecord(tx, 'goal', goal.id),
    page: await listRecords(tx, 'goal', { query: 'shipping' }),
  }))
  expect(canonicalJson(rebuilt)).toBe(canonicalJson(row))
  expect(row.version).toBe(4)
  expect(page.items).toHaveLength(1)
  const { rows } = await db.tx(scope, (tx) =>
    sql<{ n: number }>`select count(*)::int as n from core.events`.execute(tx),
  )
  expect(rows[0]?.n).toBe(4)
})
