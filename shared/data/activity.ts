import { sql } from 'kysely'
import type { Tx } from '../db/index.ts'
import { defineProjection, type StoredEvent } from '../events/index.ts'

interface Count {
  tenant_id: string
  day: string
  type: string
  events: number
  last_at: string
  last_position: string
}

/** Events per tenant, day and type: what happened, without reading the log. */
export const activity = defineProjection({
  name: 'activity',
  tables: ['core.activity'],
  types: ['*'],
  async apply(tx, events, table) {
    const counts = JSON.stringify(countByDay(events))
    await sql`
      insert into ${table('core.activity')} as a (tenant_id, day, type, events, last_at, last_position)
      select * from json_to_recordset(${counts}::json)
        as v(tenant_id text, day text, type text, events int, last_at timestamptz, last_position bigint)
      on conflict (tenant_id, day, type) do update set events = a.events + excluded.events,
        last_at = greatest(a.last_at, excluded.last_at), last_position = excluded.last_position`.execute(tx)
  },
})

function countByDay(events: readonly StoredEvent[]): Count[] {
  const counts = new Map<string, Count>()
  for (const { tenant_id, type, time, position } of events) {
    const day = time.slice(0, 10)
    const key = JSON.stringify([tenant_id, day, type])
    const count = counts.get(key) ?? { tenant_id, day, type, events: 0, last_at: time, last_position: position }
    count.events += 1
    if (time > count.last_at) count.last_at = time
    count.last_position = position
    counts.set(key, count)
  }
  return [...counts.values()]
}

/** The tenant's own figures, newest first. */
export async function listActivity(tx: Tx, limit: number): Promise<Omit<Count, 'tenant_id' | 'last_position'>[]> {
  const { rows } = await sql<Omit<Count, 'tenant_id' | 'last_position'>>`
    select day, type, events, last_at from core.activity
    where tenant_id = current_setting('app.tenant', true) order by last_position desc limit ${limit}`.execute(tx)
  return rows
}
