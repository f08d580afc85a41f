import pg from 'pg'
import type { Logger } from '../../telemetry/index.ts'
import { type ClientSource, inOneWrite, type Lease } from '../connection.ts'
import { dbErrors } from '../errors.ts'
import { prepared } from '../prepared.ts'
import { type ExtensionTypes, typeParsers } from '../values.ts'

export interface PostgresOptions {
  url: string
  poolMax: number
  connectTimeoutMs: number
  lockTimeoutMs: number
  statementTimeoutMs: number
  idleTransactionMs: number
}

/** Settings every connection of ours has: UTC and ISO, so that values read the same wherever the server stands. */
export function clientConfig(options: Pick<PostgresOptions, 'url' | 'connectTimeoutMs'>): pg.ClientConfig {
  return {
    connectionString: options.url,
    application_name: 'story-portal',
    connectionTimeoutMillis: options.connectTimeoutMs,
    keepAlive: true,
    options: '-c timezone=UTC -c datestyle=ISO -c intervalstyle=postgres -c bytea_output=hex',
  }
}

/** A pool that opens connections when they are asked for: a database that is down now is found again when it is back. */
export class PostgresSource implements ClientSource {
  readonly extension: ExtensionTypes = { vector: undefined }
  readonly pool: pg.Pool
  #detected = false

  constructor(options: PostgresOptions, log: Logger) {
    this.pool = new pg.Pool({
      ...clientConfig(options),
      max: options.poolMax,
      idleTimeoutMillis: 30_000,
      statement_timeout: options.statementTimeoutMs,
      lock_timeout: options.lockTimeoutMs,
      idle_in_transaction_session_timeout: options.idleTransactionMs,
      pipeline: true,
      types: typeParsers(this.extension) as pg.CustomTypesConfig,
    })
    // An idle connection that breaks is no caller's business; without a listener it would end the process.
    this.pool.on('error', (error) => log.warn({ err: error }, 'an idle database connection broke'))
    // One that breaks while it is lent, or between the pool and the borrower, fails the statement in flight or the next; the event
    // must only never go unheard. The server's farewell can come in the same packet as its welcome.
    this.pool.on('connect', (client) => client.on('error', () => {}))
  }

  async acquire(): Promise<Lease> {
    if (this.pool.ending) throw dbErrors.closed()
    const client = await this.pool.connect()
    try {
      if (!this.#detected) await this.detect(client)
    } catch (error) {
      client.release(true)
      throw error
    }
    return {
      query: (text, parameters = []) => client.query(prepared(text, parameters)),
      together: (send) => inOneWrite(client, send),
      atRest: () => client.getTransactionStatus() === 'I',
      release: (broken) => client.release(broken),
    }
  }

  /** Looks for pgvector; again after a migration, which may have brought it. */
  async detect(client: pg.ClientBase): Promise<void> {
    const found = await client.query(
      "select t.oid from pg_type t join pg_extension e on e.extname = 'vector' where t.typname = 'vector'",
    )
    this.extension.vector = found.rows[0]?.oid
    this.#detected = true
  }

  forget(): void {
    this.#detected = false
  }

  async end(): Promise<void> {
    await this.pool.end()
  }
}
