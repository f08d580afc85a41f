import { sql } from 'kysely'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type TestDatabase, testDatabase, testTenant } from '../testing/database.ts'

let db: TestDatabase
beforeAll(async () => {
  db = await testDatabase()
})
afterAll(() => db.close())

test('a transaction commits and returns its result', async () => {
  const tenant = testTenant()
  const rows = await db.tx(tenant, (tx) => sql<{ r: string; t: string }>`select current_user r, current_setting('app.tenant') t`.execute(tx))
  expect(rows.rows).toEqual([{ r: 'story_portal_app', t: tenant.tenant_id }])
  console.log(await db.health())
})
