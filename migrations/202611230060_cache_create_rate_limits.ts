import { grantTable } from '@story-portal/shared/db'
import { type Kysely, sql } from 'kysely'

/**
 * Points taken per key and window, for processes that share no Redis. Unlogged: written at every call, and losing it in a
 * crash only opens the windows again. No tenant column: keys belong to the platform, only the system role reads them.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create unlogged table core.rate_limits (
      key text primary key,
      points int not null,
      expires_at timestamptz(3) not null
    )`.execute(db)
  await sql`create index rate_limits_expires_at on core.rate_limits (expires_at)`.execute(db)
  await grantTable(db, 'core.rate_limits', { app: [], system: ['select', 'insert', 'update', 'delete'] })
}
