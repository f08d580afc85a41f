import { type Kysely, sql } from 'kysely'

export interface Column {
  name: string
  /** As `format_type` writes it, for the cast from text. */
  type: string
}

export interface Table {
  /** `core.goals` */
  name: string
  columns: Column[]
}

/** What says which schema a database has: one that is loaded has its own, made by the migrations it runs. */
export const OWN_BOOKS: readonly string[] = ['core.migrations', 'core.migrations_lock', 'pgboss.version']

/** Schemas of ours and of pg-boss: all that is not PostgreSQL's. */
const OURS = sql`n.nspname !~ '^pg_' and n.nspname not in ('information_schema', 'public')`

/** Every table with data of ours and its stored columns, in name order; a partitioned one as a whole, without its parts. */
export async function tablesOf(db: Kysely<unknown>): Promise<Table[]> {
  const { rows } = await sql<{ name: string; column: string; type: string }>`
    select n.nspname || '.' || c.relname as name, a.attname as column, format_type(a.atttypid, a.atttypmod) as type
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
      join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and a.attgenerated = ''
    where ${OURS} and c.relkind in ('r', 'p') and not c.relispartition
    order by n.nspname collate "C", c.relname collate "C", a.attnum`.execute(db)
  return [...Map.groupBy(rows, (row) => row.name)]
    .filter(([name]) => !OWN_BOOKS.includes(name))
    .map(([name, columns]) => ({ name, columns: columns.map(({ column, type }) => ({ name: column, type })) }))
}

/** Last values of the sequences that were drawn from, by name. */
export async function sequencesOf(db: Kysely<unknown>): Promise<Record<string, string>> {
  const { rows } = await sql<{ name: string; last: string }>`
    select n.schemaname || '.' || n.sequencename as name, n.last_value::text as last from pg_sequences n
    where n.schemaname !~ '^pg_' and n.schemaname not in ('information_schema', 'public') and n.last_value is not null
    order by 1`.execute(db)
  return Object.fromEntries(rows.map(({ name, last }) => [name, last]))
}

/** Foreign keys as the statements that drop them and make them again. */
export async function foreignKeysOf(db: Kysely<unknown>): Promise<{ drop: string; add: string }[]> {
  const { rows } = await sql<{ drop: string; add: string }>`
    select format('alter table %s drop constraint %I', con.conrelid::regclass, con.conname) as drop,
      format('alter table %s add constraint %I %s', con.conrelid::regclass, con.conname, pg_get_constraintdef(con.oid)) as add
    from pg_constraint con join pg_namespace n on n.oid = con.connamespace
    where ${OURS} and con.contype = 'f' and con.conparentid = 0 order by con.oid`.execute(db)
  return rows
}

/** Tables whose owner, too, is held to row-level security. */
export async function forcedTables(db: Kysely<unknown>): Promise<string[]> {
  const { rows } = await sql<{ name: string }>`
    select n.nspname || '.' || c.relname as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where ${OURS} and c.relforcerowsecurity`.execute(db)
  return rows.map(({ name }) => name)
}

/** A qualified name as SQL. */
export function quoted(name: string): string {
  return name
    .split('.')
    .map((part) => `"${part.replaceAll('"', '""')}"`)
    .join('.')
}
