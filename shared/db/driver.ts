import { AsyncLocalStorage } from 'node:async_hooks'
import {
  AbortedTransactionError,
  type CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  type Kysely,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  sql,
  type TransactionSettings,
} from 'kysely'
import pg from 'pg'
import { type ClientSource, PgConnection } from './connection.ts'
import { dbErrors } from './errors.ts'
import { assertOutsideTransaction } from './guard.ts'
import { isConnectionLost } from './translate.ts'

/** What `Db.tx` hands to the driver that kysely calls. */
export interface TransactionStatements {
  /** BEGIN with role and tenant. */
  begin: string
  /** Sent in one round trip with COMMIT. */
  last?: CompiledQuery | undefined
}

export const transactionStatements = new AsyncLocalStorage<TransactionStatements>()

class PgDriver implements Driver {
  readonly #source: ClientSource

  constructor(source: ClientSource) {
    this.#source = source
  }

  async init(): Promise<void> {}

  async acquireConnection(): Promise<DatabaseConnection> {
    assertOutsideTransaction('Another database connection')
    return new PgConnection(await this.#source.acquire())
  }

  async beginTransaction(connection: DatabaseConnection, settings: TransactionSettings): Promise<void> {
    const isolation = settings.isolationLevel ? ` isolation level ${settings.isolationLevel}` : ''
    const ours = transactionStatements.getStore()?.begin
    // In one round trip with the first statement: what can fail in it (role, setting) leaves a transaction that refuses all.
    if (ours !== undefined) return own(connection).hold(ours)
    const text = `begin${isolation}${settings.accessMode ? ` ${settings.accessMode}` : ''}`
    try {
      await own(connection).run(text)
    } catch (error) {
      // BEGIN may have worked and what follows it not: kysely rolls back only after a begin that did not throw.
      await this.rollbackTransaction(connection)
      throw error
    }
  }

  async commitTransaction(connection: DatabaseConnection): Promise<void> {
    let command: string
    const last = transactionStatements.getStore()?.last
    if (last) own(connection).hold(last.sql, last.parameters)
    try {
      command = (await own(connection).run('commit')).command
    } catch (error) {
      // What the server itself says about a COMMIT (a deferred constraint, a serialization failure) means rolled back.
      if (error instanceof pg.DatabaseError && !isConnectionLost(error)) throw error
      own(connection).broken = true
      throw dbErrors.unknownOutcome({}, { cause: error })
    }
    // PostgreSQL answers ROLLBACK to the COMMIT of a transaction in which a statement failed and was swallowed.
    if (command === 'ROLLBACK') throw new AbortedTransactionError()
  }

  async rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    try {
      await own(connection).run('rollback')
    } catch {
      // The connection is lost, and with it the transaction: the first error is the one that matters.
      own(connection).broken = true
    }
  }

  async releaseConnection(connection: DatabaseConnection): Promise<void> {
    const { lease, broken } = own(connection)
    lease.release(broken || !lease.atRest())
  }

  async destroy(): Promise<void> {
    await this.#source.end()
  }
}

function own(connection: DatabaseConnection): PgConnection {
  return connection as PgConnection
}

/** Two migrators at once: the second waits here, and then finds nothing left to do. */
export const MIGRATION_LOCK = '4712381997'

class PgAdapter extends PostgresAdapter {
  override async acquireMigrationLock(db: Kysely<unknown>): Promise<void> {
    await sql`select set_config('lock_timeout', '60s', false)`.execute(db)
    await sql`select pg_advisory_lock(${sql.lit(MIGRATION_LOCK)}::bigint)`.execute(db)
    await sql`select set_config('lock_timeout', '5s', false)`.execute(db)
  }

  override async releaseMigrationLock(db: Kysely<unknown>): Promise<void> {
    await sql`select pg_advisory_unlock(${sql.lit(MIGRATION_LOCK)}::bigint)`.execute(db)
  }
}

/** kysely's dialect over either source of connections. */
export function dialect(source: ClientSource): Dialect {
  return {
    createAdapter: () => new PgAdapter(),
    createDriver: () => new PgDriver(source),
    createIntrospector: (db) => new PostgresIntrospector(db),
    createQueryCompiler: () => new PostgresQueryCompiler(),
  }
}
