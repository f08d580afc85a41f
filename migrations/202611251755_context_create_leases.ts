import { tenantTable } from '@story-portal/shared/db'
import { type Kysely, sql } from 'kysely'

/** Who works on a task or a file now. A lease is a sign of life, no history: it is overwritten, and has no events. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table core.context_leases (
      tenant_id text not null,
      project_id text not null,
      thing text not null,
      session_id text not null,
      fence bigint not null check (fence > 0),
      expires_at timestamptz(3) not null,
      primary key (tenant_id, project_id, thing),
      foreign key (tenant_id, project_id) references core.projects on delete cascade,
      foreign key (tenant_id, session_id) references core.sessions on delete cascade
    )`.execute(db)
  await sql`create index on core.context_leases (tenant_id, session_id)`.execute(db)
  await tenantTable(db, 'core.context_leases')
}
