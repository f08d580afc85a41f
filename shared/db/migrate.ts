import { Kysely, sql } from 'kysely'
import { type Migration, Migrator } from 'kysely/migration'
import { isStoryPortalError } from '../errors/index.ts'
import { appliedMigrations } from './applied-migrations.ts'
import { dialect } from './driver.ts'
import { takeDump } from './dump/dumps.ts'
import { dbErrors } from './errors.ts'
import { type Internals, internalsOf } from './internals.ts'
import { loadMigrations, MIGRATIONS_DIR } from './migrations.ts'
import { ensureRoles } from './roles.ts'
import { isConnectionLost, type ServerError, translateDriverError } from './translate.ts'
import type { Db } from './types.ts'

export interface MigrateOptions {
  /** Another folder than the clone's, for tests. */
  dir?: string
  /** Only these, for tables as an older version made them. */
  only?: readonly string[]
  /** Default true: an embedded database on disk that will change is dumped first. */
  dumpFirst?: boolean
}

export interface MigrateResult {
  /** Names applied now, in order; empty when there was nothing to do. */
  applied: string[]
}

/**
 * Brings the schema forward: each migration in a transaction of its own, all under one advisory lock, so two at once are safe.
 * A migration the code does not know means a newer version was here: refused. Also makes the roles and looks for pgvector.
 */
export async function migrate(db: Db, options: MigrateOptions = {}): Promise<MigrateResult> {
  const internals = internalsOf(db)
  const known = await loadMigrations(options.dir ?? MIGRATIONS_DIR)
  const { only } = options
  const migrations = only ? Object.fromEntries(Object.entries(known).filter(([name]) => only.includes(name))) : known
  if (options.dumpFirst ?? true) await dumpBeforeChange(db, internals, Object.keys(migrations))
  const { source, logins, close } = await internals.migrationSource()
  const kysely = new Kysely<unknown>({ dialect: dialect(source) })
  try {
    await refuseNewer(kysely, migrations)
    await ensureRoles(kysely, logins)
    await addVector(kysely)
    const applied = await runAll(kysely, migrations)
    await internals.migrated(Object.keys(migrations))
    return { applied }
  } catch (error) {
    throw translateDriverError(error)
  } finally {
    await close(kysely)
  }
}

/** What a migration did can't be taken back; the state before it can be restored from here. */
async function dumpBeforeChange(db: Db, { home }: Internals, wanted: readonly string[]): Promise<void> {
  if (home === undefined) return
  const applied = await db.tx({ kind: 'owner' }, (tx) => appliedMigrations(tx))
  if (applied.length > 0 && wanted.some((name) => !applied.includes(name))) await takeDump(db, home)
}

const TABLE = {
  migrationTableSchema: 'core',
  migrationTableName: 'migrations',
  migrationLockTableName: 'migrations_lock',
}

async function runAll(db: Kysely<unknown>, migrations: Record<string, Migration>): Promise<string[]> {
  const migrator = new Migrator({
    db,
    provider: { getMigrations: async () => migrations },
    allowUnorderedMigrations: true,
    ...TABLE,
  })
  const applied: string[] = []
  for (;;) {
    const { error, results } = await migrator.migrateUp()
    if (error) throw asFailure(error, results?.find((result) => result.status === 'Error')?.migrationName)
    const done = results?.filter((result) => result.status === 'Success') ?? []
    if (done.length === 0) return applied
    applied.push(...done.map((result) => result.migrationName))
  }
}

function asFailure(error: unknown, name: string | undefined): unknown {
  if (isStoryPortalError(error) || isConnectionLost(error)) return error
  if ((error as ServerError).code === '55P03') return dbErrors.migrationBusy({}, { cause: error })
  return name === undefined ? error : dbErrors.migrationFailed({ name }, { cause: error })
}

async function refuseNewer(db: Kysely<unknown>, known: Record<string, Migration>): Promise<void> {
  const unknown = (await appliedMigrations(db)).find((name) => !Object.hasOwn(known, name))
  if (unknown) throw dbErrors.newerVersion({ what: `migration ${unknown}` })
}

/** Without pgvector everything works, by exact search: not being allowed to install it is no fault. */
async function addVector(db: Kysely<unknown>): Promise<void> {
  const offered = await sql`
    select 1 from pg_available_extensions where name = 'vector' and installed_version is null`.execute(db)
  if (offered.rows.length === 0) return
  try {
    await sql`create extension if not exists vector with schema public`.execute(db)
  } catch (error) {
    const code = (error as ServerError).code ?? ''
    // Not allowed, or another migrator was faster.
    if (!['42501', '23505', '42710'].includes(code)) throw error
  }
}
