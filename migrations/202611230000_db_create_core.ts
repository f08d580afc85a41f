import { createSchema, grantTable } from '@story-portal/shared/db'
import { type Kysely, sql } from 'kysely'

/** The ground: schema, clock, tenants, and the installation with its secret. The roles are made by the runner: they belong to the cluster. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await createSchema(db, 'core')
  await grantTable(db, 'core.migrations', { app: ['select'] })

  // Every lease, retry and deadline reads this, never a process's clock; tests move it by app.time_offset.
  await sql`
    create function core.now() returns timestamptz language sql stable parallel safe as
    $$ select now() + coalesce(nullif(current_setting('app.time_offset', true), ''), '0')::interval $$`.execute(db)

  await sql`
    create table core.tenants (
      tenant_id text primary key check (tenant_id ~ '^[a-z0-9][a-z0-9_-]{0,62}$'),
      name text not null,
      created_at timestamptz(3) not null default now()
    )`.execute(db)
  await sql`alter table core.tenants enable row level security`.execute(db)
  await sql`alter table core.tenants force row level security`.execute(db)
  await sql`
    create policy tenant on core.tenants for select to story_portal_app
    using (tenant_id = current_setting('app.tenant', true))`.execute(db)
  await sql`create policy system on core.tenants to story_portal_system using (true) with check (true)`.execute(db)
  await grantTable(db, 'core.tenants', { app: ['select'], system: ['select', 'insert', 'update', 'delete'] })

  await sql`
    create table core.installation (
      id boolean primary key default true check (id),
      created_at timestamptz(3) not null default now(),
      secret bytea not null
    )`.execute(db)
  // 244 random bits from two version 4 UUIDs: gen_random_uuid is the strong random source every PostgreSQL has without an extension.
  await sql`
    insert into core.installation (secret)
    values (decode(replace(gen_random_uuid()::text || gen_random_uuid()::text, '-', ''), 'hex'))`.execute(db)
  await grantTable(db, 'core.installation', { app: [], system: ['select'] })

  await sql`set local role story_portal_system`.execute(db)
  await sql`insert into core.tenants (tenant_id, name) values ('local', 'This installation')`.execute(db)
  await sql`reset role`.execute(db)
}
