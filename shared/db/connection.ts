import type { Duplex } from 'node:stream'
import type { CompiledQuery, DatabaseConnection, QueryResult } from 'kysely'
import type pg from 'pg'

/** One connection lent out. */
export interface Lease {
  /** Without parameters the text may hold several statements. */
  query(text: string, parameters?: readonly unknown[]): Promise<pg.QueryResult | pg.QueryResult[]>
  /** What `send` sends goes out in one write: each write of its own wakes the server for a part of the work. */
  together<T>(send: () => T): T
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
  #held: { text: string; parameters: readonly unknown[] }[] = []

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
   * Holds a statement back until the next one: both go out in one round trip, and the next fails with this one's error. Only
   * where the next can do no harm when this one fails.
   */
  hold(text: string, parameters: readonly unknown[] = []): void {
    this.#held.push({ text, parameters })
  }

  async #send(text: string, parameters: readonly unknown[]) {
    if (this.#held.length === 0) return await this.lease.query(text, parameters)
    const all = [...this.#held, { text, parameters }]
    this.#held = []
    const answers = this.lease.together(() => all.map((one) => this.lease.query(one.text, one.parameters)))
    // The first failure is the reason of those after it, which are heard all the same.
    for (const answer of answers) answer.catch(() => {})
    return (await Promise.all(answers)).at(-1) ?? []
  }

  // biome-ignore lint/correctness/useYield: kysely asks for the method, nothing of ours streams
  async *streamQuery<R>(): AsyncIterableIterator<QueryResult<R>> {
    throw new Error('Read in pages; this driver does not stream.')
  }
}

function together(results: readonly pg.QueryResult[]): pg.QueryResult {
  return { ...(results.at(-1) as pg.QueryResult), rows: results.flatMap(({ rows }) => rows ?? []) }
}

/** Corks the stream of a `pg` client while `send` hands it statements. */
export function inOneWrite<T>(client: pg.ClientBase, send: () => T): T {
  const { stream } = (client as unknown as { connection: { stream: Duplex } }).connection
  stream.cork()
  try {
    return send()
  } finally {
    stream.uncork()
  }
}
