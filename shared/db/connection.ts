import type { CompiledQuery, DatabaseConnection, QueryResult } from 'kysely'
import type pg from 'pg'

/** One connection lent out. */
export interface Lease {
  /** Without parameters the text may hold several statements. */
  query(text: string, parameters?: readonly unknown[]): Promise<pg.QueryResult | pg.QueryResult[]>
  /** False while a transaction is open on it. */
  atRest(): boolean
  /** Gives it back, or ends it when it can not be trusted any more. */
  release(broken: boolean): void
}

/** Where leases come from: the pool of a PostgreSQL, or the one connection of the embedded database. */
export interface ClientSource {
  acquire(): Promise<Lease>
  end(): Promise<void>
}

/** kysely's connection over a lease. Statements of one connection run one after the other, also when not awaited. */
export class PgConnection implements DatabaseConnection {
  readonly lease: Lease
  broken = false
  #last: Promise<unknown> = Promise.resolve()

  constructor(lease: Lease) {
    this.lease = lease
  }

  async executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
    const result = await this.run(query.sql, query.parameters)
    const affected = /^(INSERT|UPDATE|DELETE|MERGE)$/.test(result.command)
    return {
      rows: result.rows as R[],
      ...(affected ? { numAffectedRows: BigInt(result.rowCount ?? 0) } : {}),
    }
  }

  /** The result of several statements has the rows of all: pg-boss wraps one that returns rows between BEGIN and COMMIT. */
  run(text: string, parameters: readonly unknown[] = []): Promise<pg.QueryResult> {
    const mine = this.#last.then(() => this.lease.query(text, parameters))
    this.#last = mine.catch(() => {})
    return mine.then((result) => (Array.isArray(result) ? together(result) : result))
  }

  // biome-ignore lint/correctness/useYield: kysely asks for the method, nothing of ours streams
  async *streamQuery<R>(): AsyncIterableIterator<QueryResult<R>> {
    throw new Error('Read in pages; this driver does not stream.')
  }
}

function together(results: readonly pg.QueryResult[]): pg.QueryResult {
  return { ...(results.at(-1) as pg.QueryResult), rows: results.flatMap(({ rows }) => rows ?? []) }
}
