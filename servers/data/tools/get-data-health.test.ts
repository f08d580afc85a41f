import { open } from '@story-portal/shared/testing'
import { expect, test } from 'vitest'

test('figures are real: tables grow, migrations are counted, indexes are not missing', async () => {
  const { call, host } = await open('data')
  const health = await call('get_data_health')
  expect(health).toMatchObject({ ok: true, database: { mode: host.db.mode }, migrations: { pending: [] } })
  expect(health.migrations.applied).toBeGreaterThanOrEqual(4)
  expect(health.database.server_version).toMatch(/^\d+/)
  expect(health.pool.size).toBeGreaterThanOrEqual(1)
  const events = health.tables.find((table: { table: string }) => table.table === 'core.events')
  expect(events.bytes).toBeGreaterThan(8000)
  expect(health.missing_indexes).toEqual([])
  expect(['pg_stat_statements', 'running']).toContain(health.slow_queries.source)
})
