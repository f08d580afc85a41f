import { type Kysely, sql } from 'kysely'
import { tenantTable } from '../db/index.ts'

/** What a migration says about a new kind's table, beyond the columns every record has. */
export interface RecordTable {
  kind: string
  /** `core.<plural>` */
  table: string
  /** The kind's own columns, checks, unique and foreign keys, as in CREATE TABLE. */
  columns: string
  /** Text columns searched by `query`, most important first; empty: no search column. */
  search: readonly string[]
  /** Where each state may go; from '' = how a new record may begin. Absent: the kind has no states. */
  states?: Readonly<Record<string, readonly string[]>>
}

/**
 * For migrations: makes the table of a record kind with its base columns, tenant isolation, state trigger, search column, list
 * index, and the check at COMMIT that no row is ahead of its stream of events.
 */
export async function recordTable(db: Kysely<unknown>, spec: RecordTable): Promise<void> {
  const table = sql.table(spec.table)
  const search =
    spec.search.length > 0 ? `, search tsvector generated always as (${searchVector(spec.search)}) stored` : ''
  await sql`
    create table ${table} (
      tenant_id text not null,
      id text not null,
      version int not null check (version > 0),
      created_at timestamptz(3) not null,
      updated_at timestamptz(3) not null,
      deleted_at timestamptz(3),
      created_by text not null,
      primary key (tenant_id, id),
      ${sql.raw(spec.columns + search)}
    )`.execute(db)
  await tenantTable(db, spec.table)
  await sql`create index on ${table} (tenant_id, created_at, id) where deleted_at is null`.execute(db)
  await sql`
    create constraint trigger recorded after insert or update on ${table} deferrable initially deferred
    for each row execute function core.check_recorded(${sql.lit(spec.kind)})`.execute(db)
  if (spec.states) await stateTrigger(db, spec, spec.states)
}

async function stateTrigger(db: Kysely<unknown>, spec: RecordTable, states: NonNullable<RecordTable['states']>) {
  const moves = Object.entries(states).flatMap(([from, next]) => next.map((to) => ({ from, to })))
  const values = moves.map(({ from, to }) => sql`(${spec.kind}, ${from}, ${to})`)
  await sql`insert into core.state_transitions (kind, from_state, to_state) values ${sql.join(values)}`.execute(db)
  await sql`
    create trigger state before insert or update of status on ${sql.table(spec.table)}
    for each row execute function core.check_transition(${sql.lit(spec.kind)})`.execute(db)
}

/**
 * Weighted vector of the columns, A for the first. Stemmed English and plain words together: prose is found by its stems,
 * names as they are. Of a long text the first 20,000 characters count: a tsvector ends at 1 MiB, and beyond it the record could
 * not be written at all. There is no GIN index: row-level security lets only leakproof operators use one, and @@ is not; the tenant's own rows are scanned by their vectors instead.
 */
function searchVector(columns: readonly string[]): string {
  const parts = columns.map((column, i) => {
    const text = `left(coalesce("${column}", ''), 20000)`
    const weight = 'ABCD'.at(Math.min(i, 3))
    return `setweight(to_tsvector('english', ${text}) || to_tsvector('simple', ${text}), '${weight}')`
  })
  return parts.join(' || ')
}
