import { grantTable, tenantTable } from '@story-portal/shared/db'
import { type Kysely, sql } from 'kysely'

/** The event log: streams and their versions, events that can only be added, and what is derived from them. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await streams(db)
  await events(db)
  await derived(db)
}

async function streams(db: Kysely<unknown>): Promise<void> {
  // Every append updates its stream's row in place: free space in the page keeps that a HOT update.
  await sql`
    create table core.streams (
      tenant_id text not null,
      stream text not null,
      version int not null check (version > 0),
      primary key (tenant_id, stream)
    ) with (fillfactor = 70)`.execute(db)
  await tenantTable(db, 'core.streams')
}

async function events(db: Kysely<unknown>): Promise<void> {
  // CACHE 1: a session that kept positions in stock would hand out old ones late, below a mark that was already safe.
  await sql`create sequence core.events_position as bigint cache 1`.execute(db)
  await sql`grant usage, select on sequence core.events_position to story_portal_app, story_portal_system`.execute(db)
  await sql`
    create table core.events (
      position bigint not null,
      tenant_id text not null,
      stream text not null,
      version int not null,
      id text not null,
      type text not null,
      schema_version int not null,
      source text not null,
      subject text,
      time timestamptz(3) not null,
      actor text not null,
      correlation_id text,
      causation_id text,
      traceparent text,
      key_id text,
      data jsonb not null,
      primary key (tenant_id, position),
      unique (tenant_id, stream, version)
    )`.execute(db)
  await sql`create index events_by_position on core.events (position)`.execute(db)
  await sql`create index events_by_time on core.events using brin (time)`.execute(db)
  await sql`
    create index events_by_correlation on core.events (tenant_id, correlation_id, position)
    where correlation_id is not null`.execute(db)
  await tenantTable(db, 'core.events', { app: ['select', 'insert'] })
  // The owner and superusers have no grants to revoke: the triggers stop them too.
  await sql`
    create function core.refuse_change() returns trigger language plpgsql as $$
    begin
      raise exception using errcode = 'SP002',
        message = format('entries of %I.%I can not be changed or removed', tg_table_schema, tg_table_name),
        detail = json_build_object('table', format('%I.%I', tg_table_schema, tg_table_name))::text;
    end $$`.execute(db)
  await sql`
    create trigger append_only before update or delete on core.events
    for each row execute function core.refuse_change()`.execute(db)
  await sql`
    create trigger append_only_truncate before truncate on core.events
    for each statement execute function core.refuse_change()`.execute(db)
}

async function derived(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table core.snapshots (
      tenant_id text not null,
      stream text not null,
      name text not null,
      version int not null,
      state jsonb not null,
      primary key (tenant_id, stream, name)
    )`.execute(db)
  await tenantTable(db, 'core.snapshots')
  await sql`
    create table core.projections (
      name text primary key,
      position bigint not null,
      updated_at timestamptz(3) not null
    )`.execute(db)
  await grantTable(db, 'core.projections', { app: ['select'], system: ['select', 'insert', 'update'] })
  await sql`
    create table core.projection_rebuilds (
      tenant_id text not null,
      name text not null,
      token text not null,
      started_at timestamptz(3) not null,
      primary key (tenant_id, name)
    )`.execute(db)
  await tenantTable(db, 'core.projection_rebuilds')
}
