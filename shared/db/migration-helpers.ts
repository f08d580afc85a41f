import { type Kysely, sql } from 'kysely'

export interface TenantTableOptions {
  /** What the application role may do; the event log and the audit give it INSERT and SELECT only. */
  app?: readonly ('select' | 'insert' | 'update' | 'delete')[]
  /** What the system role may do beyond that. */
  system?: readonly ('select' | 'insert' | 'update' | 'delete')[]
}

const ALL = ['select', 'insert', 'update', 'delete'] as const

/**
 * Puts a table with a `tenant_id` column under row-level security, the same way for every table: the application role sees the
 * tenant of its transaction only (none when it is not set), the system role sees all, also the owner is held to it.
 */
export async function tenantTable<T>(db: Kysely<T>, table: string, options: TenantTableOptions = {}): Promise<void> {
  const name = sql.table(table)
  const mine = sql`tenant_id = current_setting('app.tenant', true)`
  await sql`alter table ${name} enable row level security`.execute(db)
  await sql`alter table ${name} force row level security`.execute(db)
  await sql`create policy tenant on ${name} to story_portal_app using (${mine}) with check (${mine})`.execute(db)
  await sql`create policy system on ${name} to story_portal_system using (true) with check (true)`.execute(db)
  await grantTable(db, table, options)
}

/** A table without tenants (positions of followers, leases of workers): the two roles and what they may do. */
export async function grantTable<T>(db: Kysely<T>, table: string, options: TenantTableOptions = {}): Promise<void> {
  const app = options.app ?? ALL
  const system = options.system ?? app
  if (app.length > 0) await sql.raw(`grant ${app.join(', ')} on ${table} to story_portal_app`).execute(db)
  if (system.length > 0) await sql.raw(`grant ${system.join(', ')} on ${table} to story_portal_system`).execute(db)
}

/** Makes a schema that both roles may look into. */
export async function createSchema<T>(db: Kysely<T>, schema: string): Promise<void> {
  await sql`create schema if not exists ${sql.id(schema)}`.execute(db)
  await sql`grant usage on schema ${sql.id(schema)} to story_portal_app, story_portal_system`.execute(db)
}
