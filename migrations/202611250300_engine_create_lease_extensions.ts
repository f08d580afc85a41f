import { tenantTable } from '@story-portal/shared/db'
import { type Kysely, sql } from 'kysely'

/**
 * How long the lease of a task or a call was extended, beside the record: a heartbeat is no change of the record, and as one it
 * would write an event with the whole of it. Without an index on the time, so that a heartbeat changes its row in place.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table core.lease_extensions (
      tenant_id text not null,
      id text not null,
      fence int not null,
      expires_at timestamptz(3) not null,
      primary key (tenant_id, id)
    ) with (fillfactor = 50)`.execute(db)
  await tenantTable(db, 'core.lease_extensions')
}
