import { sql } from 'kysely'
import type { Tx } from '../db/index.ts'

export type TableSize = {
  table: string
  rows: number
  bytes: number
}

/** Tables of the platform by size, largest first; rows as PostgreSQL estimates them. */
export async function tableSizes(tx: Tx, limit = 20): Promise<TableSize[]> {
  const { rows } = await sql<{ table: string; rows: string; bytes: string }>`
    select n.nspname || '.' || c.relname as table, greatest(c.reltuples, 0)::bigint::text as rows,
      pg_total_relation_size(c.oid)::text as bytes
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where c.relkind in ('r', 'm') and n.nspname not in ('pg_catalog', 'information_schema', 'pg_toast')
    order by pg_total_relation_size(c.oid) desc limit ${limit}`.execute(tx)
  return rows.map((row) => ({ table: row.table, rows: Number(row.rows), bytes: Number(row.bytes) }))
}

/**
 * Foreign keys whose columns no index begins with: deleting what they refer to, and joins along them, read the whole table.
 * Tables that pg-boss makes are its own business.
 */
export async function missingIndexes(tx: Tx): Promise<{ table: string; columns: string; constraint: string }[]> {
  const { rows } = await sql<{ table: string; columns: string; constraint: string }>`
    select c.conrelid::regclass::text as table, c.conname as constraint,
      (select string_agg(a.attname, ', ' order by k.ord) from unnest(c.conkey) with ordinality k(num, ord)
        join pg_attribute a on a.attrelid = c.conrelid and a.attnum = k.num) as columns
    from pg_constraint c join pg_class t on t.oid = c.conrelid join pg_namespace n on n.oid = t.relnamespace
    where c.contype = 'f' and n.nspname not in ('pg_catalog', 'information_schema', 'pgboss') and not exists (
      select from pg_index i where i.indrelid = c.conrelid
        and c.conkey::int[] <@ (i.indkey::int2[])[0:array_length(c.conkey, 1) - 1]::int[])
    order by 1, 2`.execute(tx)
  return rows
}

export type SlowQuery = {
  query: string
  calls: number
  mean_ms: number
  max_ms: number
}

/** Statements by time, from pg_stat_statements where the extension is there, else those running for over a second now. */
export async function slowQueries(
  tx: Tx,
  limit = 10,
): Promise<{ source: 'pg_stat_statements' | 'running'; items: SlowQuery[] }> {
  // Its setting is there only when the server loaded it at start; without that the view exists and fails.
  const { rows: known } = await sql<{ schema: string }>`
    select n.nspname as schema from pg_extension e join pg_namespace n on n.oid = e.extnamespace
    where e.extname = 'pg_stat_statements' and current_setting('pg_stat_statements.max', true) is not null`.execute(tx)
  if (known[0]) {
    const { rows } = await sql<SlowQuery>`
      select left(query, 300) as query, calls::int4 as calls, mean_exec_time as mean_ms, max_exec_time as max_ms
      from ${sql.table(`${known[0].schema}.pg_stat_statements`)}
      where dbid = (select oid from pg_database where datname = current_database()) and query not like '<insufficient%'
      order by mean_exec_time desc limit ${limit}`.execute(tx)
    return { source: 'pg_stat_statements', items: rows }
  }
  const { rows } = await sql<SlowQuery>`
    select left(query, 300) as query, 1 as calls, ms as mean_ms, ms as max_ms
    from (select query, extract(epoch from clock_timestamp() - query_start)::float8 * 1000 as ms
      from pg_stat_activity where datname = current_database() and state = 'active' and pid <> pg_backend_pid()) a
    where ms > 1000 order by ms desc limit ${limit}`.execute(tx)
  return { source: 'running', items: rows }
}
