import { tenantTable } from '@story-portal/shared/db'
import { type Kysely, sql } from 'kysely'

/**
 * Vectors of texts, beside the items they belong to: derived, so they have no events and can be made anew. Plain arrays, because
 * pgvector may be missing here and there where the database is moved to.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table core.embeddings (
      tenant_id text not null,
      kind text not null,
      item_id text not null,
      model text not null,
      vector real[] not null,
      primary key (tenant_id, kind, item_id)
    )`.execute(db)
  await tenantTable(db, 'core.embeddings')
}
