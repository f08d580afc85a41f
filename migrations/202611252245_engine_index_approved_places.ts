import { type Kysely, sql } from 'kysely'

/** Calls that a person allowed and that wait for a place, and what a script asked for, which is found when it is cancelled. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create index invocations_places_asked on core.invocations (tenant_id, concurrency_key, created_at)
      where concurrency_key is not null and status = 'pending_approval'`.execute(db)
  await sql`
    create index invocations_asked_by_run on core.invocations (tenant_id, run_id)
      where run_id is not null and status = 'pending_approval'`.execute(db)
}
