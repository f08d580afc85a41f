import { type Kysely, sql } from 'kysely'

/** The latest session of a client is looked for at every start of an editor, among all that a project ever had. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create index on core.sessions (tenant_id, project_id, client_session_id, created_at desc, id desc)
    where client_session_id is not null and deleted_at is null`.execute(db)
}
