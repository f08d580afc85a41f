import { bossSchemaSql } from '@story-portal/shared/jobs'
import { type Kysely, sql } from 'kysely'

/** pg-boss's schema, as the installed version makes it, and the rights of the roles that add and take jobs. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql.raw(bossSchemaSql()).execute(db)
  await sql`grant usage on schema pgboss to story_portal_app, story_portal_system`.execute(db)
  await sql`grant select, insert, update, delete on all tables in schema pgboss to story_portal_system`.execute(db)
  // Jobs are of all tenants: a tenant's transaction may add one, and read of it no more than the id that its insert returns.
  await sql`grant select on pgboss.queue to story_portal_app`.execute(db)
  await sql`grant insert on pgboss.job, pgboss.job_common to story_portal_app`.execute(db)
  await sql`grant select (id, start_after) on pgboss.job, pgboss.job_common to story_portal_app`.execute(db)
  await sql`grant execute on all functions in schema pgboss to story_portal_app, story_portal_system`.execute(db)
}
