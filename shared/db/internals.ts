import type { Kysely } from 'kysely'
import type { ClientSource } from './connection.ts'
import type { Db } from './types.ts'

/** What shared/db keeps to itself about an open database: migrations and tests reach it, callers do not. */
export interface Internals {
  /** Connections of the owner role, with the logins that must be able to enter the roles; `close` ends what was opened for it. */
  migrationSource(): Promise<{
    source: ClientSource
    logins: string[]
    close(kysely: Kysely<unknown>): Promise<void>
  }>
  /** The schema has all of these now. */
  migrated(names: string[]): Promise<void>
  /** Embedded on disk only: the data directory. */
  readonly home: string | undefined
  /** Embedded on disk only: when it is closed it is noted that the dump begun at `made_at` holds all of it. */
  holdsAll(made_at: string): void
  /** Embedded on disk only: a copy of the directory as of the moment returned, taken while nobody can change it. */
  copyTo(dir: string): Promise<string>
  /** Embedded only: the whole directory as a tar. */
  dump(): Promise<Uint8Array>
  /** Embedded only: how often the thread was started again. */
  restarts(): number
}

const known = new WeakMap<Db, Internals>()

export function rememberInternals(db: Db, internals: Internals): void {
  known.set(db, internals)
}

/** The data directory of an embedded database on disk; undefined for every other. */
export function homeOf(db: Db): string | undefined {
  return known.get(db)?.home
}

export function internalsOf(db: Db): Internals {
  const internals = known.get(db)
  if (!internals) throw new Error('this Db was not made by openDatabase')
  return internals
}
