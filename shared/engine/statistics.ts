import { sql } from 'kysely'
import type { Db, Tx } from '../db/index.ts'

/** What a plan fills at once. */
const TABLES = ['tasks', 'task_dependencies', 'task_waits', 'plan_progress', 'invocations', 'streams', 'events']
/** Changes below which a table is small whatever the planner thinks. */
const FEW = 500

/**
 * Renews the planner's statistics of tables that have doubled since they were made, and so every plan that the sessions keep:
 * one made for a handful of tasks reads all tasks of the tenant for each. Autovacuum comes by once a minute, a plan of 10,000
 * tasks is worked on at once. Changes
 * nothing that anybody waits for, and so counts as nothing done.
 */
export async function renewStatistics(db: Db): Promise<0> {
  const { rows } = await sql<{ name: string }>`
    select s.relname as name from pg_stat_user_tables s join pg_class c on c.oid = s.relid
    where s.schemaname = 'core' and s.relname = any(${TABLES}::text[]) and pg_has_role(c.relowner, 'usage')
      and s.n_mod_since_analyze >= greatest(c.reltuples, ${FEW})`.execute(db.raw)
  for (const { name } of rows) await sql`analyze core.${sql.ref(name)}`.execute(db.raw)
  return 0
}

/** Rows after which a statement's own session has to plan anew what it planned for fewer. */
const MANY = 200

/**
 * Forgets the plans of this session before so many rows are written at once. The checks of foreign keys keep theirs for good:
 * planned when there were a few tasks, each of 10,000 reads all tasks of the tenant, inside one statement.
 */
export async function planAnewFor(tx: Tx, rows: number): Promise<void> {
  if (rows >= MANY) await sql`discard plans`.execute(tx)
}
