import { CompiledQuery, Kysely, sql } from 'kysely'
import { dialect } from '../driver.ts'
import { dbErrors } from '../errors.ts'
import { internalsOf } from '../internals.ts'
import { migrate } from '../migrate.ts'
import { migrationNames } from '../migrations.ts'
import { translateDriverError } from '../translate.ts'
import type { Db } from '../types.ts'
import { type Column, forcedTables, foreignKeysOf, quoted, type Table, tablesOf } from './catalogue.ts'
import { isSameSum, type Row, type Sum, Summing } from './format.ts'
import { linesOf, verifyDump } from './read-dump.ts'
import { rowsOf } from './read-rows.ts'

export interface LoadOptions {
  /** Told after every table, for people who wait. */
  progress?: (done: { table: string; rows: number; of: number }) => void
}

export interface Loaded {
  made_at: string
  tables: number
  rows: number
}

/**
 * Loads a dump into an empty database: checks the whole file first, makes the tables with the dump's own migrations, fills them,
 * reads everything back and compares, all in one transaction; then brings the schema forward. Throws E0124 for a damaged file,
 * E0113 for one of a newer version, E0126 for a database that has records; then nothing has changed.
 */
export async function loadDump(db: Db, file: string, options: LoadOptions = {}): Promise<Loaded> {
  const { header, tables, rows } = await verifyDump(file)
  const known = migrationNames()
  const unknown = header.migrations.find((name) => !known.includes(name))
  if (unknown) throw dbErrors.newerVersion({ what: `migration ${unknown}` })
  await refuseInUse(db)
  await migrate(db, { only: header.migrations })
  const { source, close } = await internalsOf(db).migrationSource()
  const kysely = new Kysely<unknown>({ dialect: dialect(source) })
  try {
    await kysely.transaction().execute((tx) => fill(tx, file, rows, options))
  } catch (error) {
    throw translateDriverError(error)
  } finally {
    await close(kysely)
  }
  await migrate(db, { dumpFirst: false })
  return { made_at: header.made_at, tables, rows }
}

/** A target that was only migrated may be filled; one with an event in it is somebody's. */
async function refuseInUse(db: Db): Promise<void> {
  const used = await db.tx({ kind: 'owner' }, async (tx) => {
    const found = await sql<{ found: boolean }>`select to_regclass('core.events') is not null as found`.execute(tx)
    if (!found.rows[0]?.found) return false
    // The owner is held to row-level security too, but not by the sequence that events draw from.
    const drawn = await sql<{ drawn: boolean }>`
      select pg_sequence_last_value('core.events_position'::regclass) is not null as drawn`.execute(tx)
    return drawn.rows[0]?.drawn ?? false
  })
  if (used) throw dbErrors.targetInUse()
}

async function fill(tx: Kysely<unknown>, file: string, of: number, { progress }: LoadOptions): Promise<void> {
  const here = new Map((await tablesOf(tx)).map((table) => [table.name, table]))
  const restore = await suspendGuards(tx, [...here.keys()])
  await sql.raw(`truncate ${[...here.keys()].map(quoted).join(', ')}`).execute(tx)
  const sums = new Map<string, Sum>()
  let done = 0
  let filling: Filling | undefined
  for await (const { line } of linesOf(file)) {
    if (Array.isArray(line)) await filling?.add(line)
    else if ('table' in line) filling = new Filling(tx, fitting(file, line.table, here))
    else if ('sequences' in line) await setSequences(tx, line.sequences)
    else if ('end' in line) {
      await filling?.flush()
      sums.set(line.end, line.sum)
      done += line.sum.rows
      progress?.({ table: line.end, rows: done, of })
    }
  }
  await compare(tx, [...here.values()], sums)
  await restore()
}

/**
 * Triggers, foreign keys and row-level security are for changes, not for rows that have been through them before. The owner of the
 * tables may do this, no superuser is needed; making the keys again checks all of them. Returns what puts them back.
 */
async function suspendGuards(tx: Kysely<unknown>, tables: readonly string[]): Promise<() => Promise<void>> {
  const run = async (statements: readonly string[]) => {
    for (const text of statements) await sql.raw(text).execute(tx)
  }
  const names = tables.map(quoted)
  const forced = (await forcedTables(tx)).map(quoted)
  const keys = await foreignKeysOf(tx)
  await run([
    ...keys.map(({ drop }) => drop),
    ...names.map((name) => `alter table ${name} disable trigger user`),
    ...forced.map((name) => `alter table ${name} no force row level security`),
  ])
  return () =>
    run([
      ...keys.map(({ add }) => add),
      ...names.map((name) => `alter table ${name} enable trigger user`),
      ...forced.map((name) => `alter table ${name} force row level security`),
    ])
}

async function setSequences(tx: Kysely<unknown>, sequences: Record<string, string>): Promise<void> {
  for (const [name, value] of Object.entries(sequences)) {
    await sql`select setval(${quoted(name)}::regclass, ${value}::bigint)`.execute(tx)
  }
}

function fitting(file: string, table: Table, here: ReadonlyMap<string, Table>): Table {
  const target = here.get(table.name)
  const names = new Set(target?.columns.map(({ name }) => name))
  if (target && table.columns.every(({ name }) => names.has(name))) return table
  throw dbErrors.dumpDamaged({ file, reason: `its migrations do not make ${table.name} as it was` })
}

/** What was loaded is read back: a value that another server keeps differently must not be found out later. */
async function compare(tx: Kysely<unknown>, tables: readonly Table[], sums: ReadonlyMap<string, Sum>): Promise<void> {
  for (const table of tables) {
    const wanted = sums.get(table.name) ?? { rows: 0, checksum: '0'.repeat(16) }
    const summing = new Summing()
    for await (const page of rowsOf(tx, table)) for (const row of page) summing.add(JSON.stringify(row))
    if (!isSameSum(wanted, summing.sum)) throw dbErrors.notTheSame({ table: table.name })
  }
}

const MOST_ROWS = 500
const MOST_BYTES = 4 * 1024 * 1024

/** Rows on their way into one table, some hundred per statement. */
class Filling {
  readonly #tx: Kysely<unknown>
  readonly #text: string
  readonly #width: number
  #rows: Row[] = []
  #bytes = 0

  constructor(tx: Kysely<unknown>, { name, columns }: Table) {
    this.#tx = tx
    this.#width = columns.length
    const casts = columns.map((column, i) => `v.c${i}::${column.type}`)
    const arrays = columns.map((_, i) => `$${i + 1}::text[]`)
    const names = columns.map((column: Column) => quoted(column.name))
    this.#text = `insert into ${quoted(name)} (${names.join(', ')}) overriding system value
      select ${casts.join(', ')} from unnest(${arrays.join(', ')}) as v(${columns.map((_, i) => `c${i}`).join(', ')})`
  }

  async add(row: Row): Promise<void> {
    this.#rows.push(row)
    this.#bytes += row.reduce((sum, value) => sum + (value?.length ?? 0), 0)
    if (this.#rows.length >= MOST_ROWS || this.#bytes >= MOST_BYTES) await this.flush()
  }

  async flush(): Promise<void> {
    if (this.#rows.length === 0) return
    const rows = this.#rows
    this.#rows = []
    this.#bytes = 0
    const columns = Array.from({ length: this.#width }, (_, i) => rows.map((row) => row[i] ?? null))
    await this.#tx.executeQuery(CompiledQuery.raw(this.#text, columns))
  }
}
