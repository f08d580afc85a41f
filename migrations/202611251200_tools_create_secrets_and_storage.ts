import { tenantTable } from '@story-portal/shared/db'
import { type Kysely, sql } from 'kysely'

/**
 * What sandboxed code may keep and use. Neither is a record: a secret must not stand in the log, not even sealed, so that deleting
 * it forgets it; a value that a tool stores has its event in the invocation that stored it.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table core.secrets (
      tenant_id text not null,
      name text not null,
      hosts text[] not null,
      key_id text not null,
      sealed text not null,
      updated_by text not null,
      updated_at timestamptz(3) not null default core.now(),
      primary key (tenant_id, name)
    )`.execute(db)
  await tenantTable(db, 'core.secrets')
  await sql`
    create table core.tool_storage (
      tenant_id text not null,
      tool text not null,
      key text not null,
      value jsonb not null,
      bytes int not null check (bytes > 0),
      updated_at timestamptz(3) not null default core.now(),
      primary key (tenant_id, tool, key)
    )`.execute(db)
  await tenantTable(db, 'core.tool_storage')
  await sql`alter table core.invocations drop constraint invocations_kind_check`.execute(db)
  await sql`
    alter table core.invocations add constraint invocations_kind_check
    check (kind in ('tool', 'code', 'script', 'server_tool', 'capability', 'compensation'))`.execute(db)
}
