import { tenantTable } from '@story-portal/shared/db'
import { type Kysely, sql } from 'kysely'

/** Events per day and type, folded from the log, and the twin that a rebuild fills beside it. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const table of ['core.activity', 'core.activity_rebuild']) {
    await sql`
      create table ${sql.table(table)} (
        tenant_id text not null,
        day text not null,
        type text not null,
        events int not null,
        last_at timestamptz(3) not null,
        last_position bigint not null,
        primary key (tenant_id, day, type)
      )`.execute(db)
    await tenantTable(db, table)
  }
}
