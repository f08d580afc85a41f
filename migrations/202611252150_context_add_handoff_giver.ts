import { type Kysely, sql } from 'kysely'

/** Who gave a handoff: a session, else a subject. Of older ones `created_by` says it. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table core.handoffs add column offered_by text`.execute(db)
}
