import { tenantTable } from '@story-portal/shared/db'
import { type Kysely, sql } from 'kysely'

/** What a session works on, and who took it over; its signs of life lie beside it, because the log is no place for them. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    alter table core.sessions
      add column project_id text, add column task_context_id text, add column client_session_id text,
      add column assistant text, add column recovered_by text, add column recovered_at timestamptz(3),
      add foreign key (tenant_id, project_id) references core.projects on delete set null (project_id),
      add foreign key (tenant_id, task_context_id) references core.task_contexts on delete set null (task_context_id),
      add foreign key (tenant_id, recovered_by) references core.sessions on delete set null (recovered_by)`.execute(db)
  await sql`create index on core.sessions (tenant_id, project_id, status)`.execute(db)
  await sql`create index on core.sessions (tenant_id, task_context_id)`.execute(db)
  await sql`create index on core.sessions (tenant_id, recovered_by)`.execute(db)
  await sql`create index on core.sessions (created_at) where status = 'active'`.execute(db)
  await sql`
    create unique index one_alive on core.sessions (tenant_id, project_id, client_session_id)
    where status = 'active' and deleted_at is null`.execute(db)
  await sql`
    create table core.session_heartbeats (
      tenant_id text not null,
      session_id text not null,
      at timestamptz(3) not null,
      primary key (tenant_id, session_id),
      foreign key (tenant_id, session_id) references core.sessions on delete cascade
    )`.execute(db)
  await tenantTable(db, 'core.session_heartbeats')
}
