import { Kysely, sql } from 'kysely'
import { dialect } from '../driver.ts'
import { dbErrors } from '../errors.ts'
import { internalsOf } from '../internals.ts'
import { migrate } from '../migrate.ts'
import { migrationNames } from '../migrations.ts'
import { translateDriverError } from '../translate.ts'
import type { Db } from '../types.ts'
import { forcedTables, foreignKeysOf, quoted, type Table, tablesOf } from './catalogue.ts'
import { Filling } from './filling.ts'
import { isSameSum, type Sum, Summing } from './format.ts'
import { type DumpSummary, linesOf, verifyDump } from './read-dump.ts'
import { rowsOf } from './read-rows.ts'

export interface LoadOptions {
  /** Told every some hundred rows, for people who wait. */
  progress?: (done: { table: string; rows: number; of: number }) => void
}

export interface Loaded {
  made_at: string
  tables: number
  rows: number
  /** The database held exactly this already: of an earlier load whose end nobody heard of. */
  already: boolean
}

/**
 * Loads a dump into an empty database: checks the whole file first, makes the tables with the dump's own migrations, fills them,
 * reads everything back and compares, all in one transaction; then brings the schema forward. Throws E0124 for a damaged file,
 * E0113 for one of a newer version, E0126 for a database that has other records; then nothing has changed.
 */
export async function loadDump(db: Db, file: string, options: LoadOptions = {}): Promise<Loaded> {
  const summary = await verifyDump(file)
  const { header, tables, rows } = summary
  const known = migrationNames()
  const unknown = header.migrations.find((name) => !known.includes(name))
  if (unknown) throw dbErrors.newerVersion({ what: `migration ${unknown}` })
  const last = await lastPosition(db)
  // Sequences are not rolled back: one that was drawn from, without an event, is of a load that was killed before its commit.
  const already = last !== undefined && (await hasEvents(db))
  if (already && last !== summary.sequences[POSITIONS]) throw dbErrors.targetInUse()
  if (!already) await migrate(db, { only: header.migrations })
  await inTransaction(db, (tx) => (already ? assertHolds(tx, summary) : fill(tx, file, summary, options)))
  await migrate(db, { dumpFirst: false })
  return { made_at: header.made_at, tables: tables.length, rows, already }
}

const POSITIONS = 'core.events_position'

/**
 * A database that was only migrated may be filled; one with an event in it is somebody's. The owner is held to row-level security
 * too, but not by the sequence that events draw from.
 */
async function lastPosition(db: Db): Promise<string | undefined> {
  return db.tx({ kind: 'owner' }, async (tx) => {
    const found = await sql<{ found: boolean }>`select to_regclass(${POSITIONS}) is not null as found`.execute(tx)
    if (!found.rows[0]?.found) return undefined
    const drawn = await sql<{ last: string | null }>`
      select pg_sequence_last_value(${POSITIONS}::regclass)::text as last`.execute(tx)
    return drawn.rows[0]?.last ?? undefined
  })
}

async function hasEvents(db: Db): Promise<boolean> {
  return db.tx(
    { kind: 'system', name: 'load' },
    async (tx) => (await sql`select 1 from core.events limit 1`.execute(tx)).rows.length > 0,
  )
}

async function inTransaction(db: Db, work: (tx: Kysely<unknown>) => Promise<void>): Promise<void> {
  const { source, close } = await internalsOf(db).migrationSource()
  const kysely = new Kysely<unknown>({ dialect: dialect(source) })
  try {
    await kysely.transaction().execute(work)
  } catch (error) {
    throw translateDriverError(error)
  } finally {
    await close(kysely)
  }
}

async function fill(tx: Kysely<unknown>, file: string, dump: DumpSummary, { progress }: LoadOptions): Promise<void> {
  const here = new Map((await tablesOf(tx)).map((table) => [table.name, table]))
  const restore = await suspendGuards(tx, [...here.keys()])
  await sql.raw(`truncate ${[...here.keys()].map(quoted).join(', ')}`).execute(tx)
  let done = 0
  let table = ''
  let filling: Filling | undefined
  for await (const { line } of linesOf(file)) {
    if (Array.isArray(line)) {
      done += 1
      if (await filling?.add(line)) progress?.({ table, rows: done, of: dump.rows })
    } else if ('table' in line) {
      table = line.table.name
      filling = new Filling(tx, fitting(file, line.table, here))
    } else if ('end' in line) {
      await filling?.flush()
      progress?.({ table, rows: done, of: dump.rows })
    }
  }
  await setSequences(tx, dump.sequences)
  for (const { table, sum } of dump.tables) {
    if (!(await isThere(tx, table, sum))) throw dbErrors.notTheSame({ table: table.name })
  }
  await restore()
}

/** The end of a load that was committed, and cut off before anybody heard of it. */
async function assertHolds(tx: Kysely<unknown>, dump: DumpSummary): Promise<void> {
  const here = new Map((await tablesOf(tx)).map((table) => [table.name, table]))
  const forced = (await forcedTables(tx)).map(quoted)
  for (const name of forced) await sql.raw(`alter table ${name} no force row level security`).execute(tx)
  for (const { table, sum } of dump.tables) {
    if (!asHere(table, here) || !(await isThere(tx, table, sum))) throw dbErrors.targetInUse()
  }
  for (const name of forced) await sql.raw(`alter table ${name} force row level security`).execute(tx)
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

/** The dump's columns as they are here; nothing that becomes SQL is taken from the file. */
function fitting(file: string, table: Table, here: ReadonlyMap<string, Table>): Table {
  const found = asHere(table, here)
  if (found) return found
  throw dbErrors.dumpDamaged({ file, reason: `its migrations do not make ${table.name} as it was` })
}

function asHere({ name, columns }: Table, here: ReadonlyMap<string, Table>): Table | undefined {
  const own = new Map(here.get(name)?.columns.map((column) => [column.name, column]))
  const found = columns.flatMap((column) => own.get(column.name) ?? [])
  return found.length === columns.length ? { name, columns: found } : undefined
}

/** What was loaded is read back: a value that another server keeps differently must not be found out later. */
async function isThere(tx: Kysely<unknown>, table: Table, sum: Sum): Promise<boolean> {
  const summing = new Summing()
  for await (const page of rowsOf(tx, table)) for (const row of page) summing.add(JSON.stringify(row))
  return isSameSum(sum, summing.sum)
}
