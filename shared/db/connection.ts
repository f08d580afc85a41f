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
  #ahead: Promise<unknown> | undefined

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
    const mine = this.#last.then(() => this.#send(text, parameters))
    this.#last = mine.catch(() => {})
    return mine.then((result) => (Array.isArray(result) ? together(result) : result))
  }

  /**
   * Sends a statement without waiting for its answer: the next one goes out right behind it, in the same round trip, and fails
   * with its error. Only where the next can do no harm when this one fails.
   */
  ahead(text: string, parameters: readonly unknown[] = []): Promise<void> {
    const sent = this.#last.then(() => {
      this.#ahead = this.lease.query(text, parameters)
      // Heard by the statement behind it, or by nobody when the connection is given back before one.
      this.#ahead.catch(() => {})
    })
    this.#last = sent
    return sent
  }

  async #send(text: string, parameters: readonly unknown[]) {
    const ahead = this.#ahead
    this.#ahead = undefined
    const answer = this.lease.query(text, parameters)
    if (ahead !== undefined) {
      answer.catch(() => {})
      await ahead
    }
    return await answer
  }

  // biome-ignore lint/correctness/useYield: kysely asks for the method, nothing of ours streams
  async *streamQuery<R>(): AsyncIterableIterator<QueryResult<R>> {
    throw new Error('Read in pages; this driver does not stream.')
  }
}

function together(results: readonly pg.QueryResult[]): pg.QueryResult {
  return { ...(results.at(-1) as pg.QueryResult), rows: results.flatMap(({ rows }) => rows ?? []) }
}
