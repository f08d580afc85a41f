import { type Kysely, sql } from 'kysely'

/** What a save saw around it: commit, branch and key files of the project's folder. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table core.context_versions add column world jsonb`.execute(db)
}
