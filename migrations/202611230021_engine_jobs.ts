import { bossSchemaSql } from '@story-portal/shared/jobs'
import { type Kysely, sql } from 'kysely'

/** pg-boss's schema, as the installed version makes it, and the rights of the roles that add and take jobs. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql.raw(bossSchemaSql()).execute(db)
  await sql`grant usage on schema pgboss to story_portal_app, story_portal_system`.execute(db)
  await sql`grant select, insert, update, delete on all tables in schema pgboss to story_portal_app, story_portal_system`.execute(
    db,
  )
  await sql`grant execute on all functions in schema pgboss to story_portal_app, story_portal_system`.execute(db)
}
