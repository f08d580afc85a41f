import { type Kysely, sql } from 'kysely'

/** Calls that wait for a place, calls that are retried, scripts that wait for a person, questions to some people only. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    alter table core.invocations
      add column concurrency_key text, add column concurrency_limit int,
      add column background boolean not null default false,
      add column retry_of text, add column closed_at timestamptz(3),
      add column waits_for text,
      add check ((concurrency_key is null) = (concurrency_limit is null)),
      add foreign key (tenant_id, retry_of) references core.invocations on delete set null (retry_of),
      add foreign key (tenant_id, waits_for) references core.approvals on delete set null (waits_for)`.execute(db)
  await sql`
    create index invocations_places on core.invocations (tenant_id, concurrency_key, created_at)
      where concurrency_key is not null and status in ('pending', 'running')`.execute(db)
  await sql`
    create index invocations_retries on core.invocations (tenant_id, retry_of) where retry_of is not null`.execute(db)
  await sql`
    create index invocations_waiting on core.invocations (tenant_id, waits_for) where waits_for is not null`.execute(db)
  await sql`
    create index invocations_dead_letters on core.invocations (tenant_id, created_at)
      where background and closed_at is null and status in ('failed', 'timed_out', 'unknown')`.execute(db)
  await sql`
    alter table core.invocations drop constraint invocations_kind_check,
      add constraint invocations_kind_check check (kind in
        ('tool', 'code', 'script', 'server_tool', 'capability', 'compensation', 'approval'))`.execute(db)
  await sql`alter table core.approvals add column approvers jsonb`.execute(db)
  await sql`alter table core.tools add column concurrency jsonb`.execute(db)
  await sql`
    insert into core.state_transitions (kind, from_state, to_state) values ('invocation', 'running', 'pending')`.execute(
    db,
  )
}
