import { type Kysely, sql } from 'kysely'

/** Names in the database, or none when it was never migrated. */
export async function appliedMigrations<T>(db: Kysely<T>): Promise<string[]> {
  const table = await sql<{ found: boolean }>`select to_regclass('core.migrations') is not null as found`.execute(db)
  if (!table.rows[0]?.found) return []
  const rows = await sql<{ name: string }>`select name from core.migrations order by name`.execute(db)
  return rows.rows.map((row) => row.name)
}
