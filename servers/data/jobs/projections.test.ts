import { open, testDatabase } from '@story-portal/shared/testing'
import { sql } from 'kysely'
import { expect, test } from 'vitest'

test('while the server runs, its projections follow the log, also past a failure', async () => {
  const db = await testDatabase()
  const { call, close } = await open('data', { start: true, db })
  const count = async () => (await call('get_data_health')).activity[0]?.events
  const append = () => call('append_event', { stream: 's', type: 'note.added', data: 1 })
  const rename = (from: string, to: string) =>
    db.tx({ kind: 'owner' }, (tx) => sql`alter table core.${sql.id(from)} rename to ${sql.id(to)}`.execute(tx))
  await append()
  await expect.poll(count, { timeout: 20_000 }).toBe(1)
  await rename('activity', 'away')
  const { event } = await append()
  // It can not be applied now, and no checkpoint may pass it.
  await expect(call('get_data_health')).rejects.toMatchObject({ body: { error: { code: 'UNAVAILABLE' } } })
  const { rows } = await db.tx({ kind: 'system', name: 'test' }, (tx) =>
    sql<{ position: string }>`select lpad(position::text, 20, '0') as position from core.projections`.execute(tx),
  )
  expect(rows[0] && rows[0].position < event.position).toBe(true)
  await rename('away', 'activity')
  await expect.poll(count, { timeout: 20_000 }).toBe(2)
  await close()
  await db.close()
}, 90_000)
