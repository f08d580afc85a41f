import pg from 'pg'
import type { Logger } from '../../telemetry/index.ts'
import { clientConfig, type PostgresOptions } from './source.ts'

type Handler = (payload: string) => void

/** One connection for LISTEN, opened with the first channel and opened again, with all channels, whenever it breaks. */
export class PostgresListener {
  readonly #options: PostgresOptions
  readonly #log: Logger
  readonly #handlers = new Map<string, Set<Handler>>()
  #client: pg.Client | undefined
  #connecting: Promise<void> | undefined
  #retry: NodeJS.Timeout | undefined
  #delayMs = 100
  #closed = false

  constructor(options: PostgresOptions, log: Logger) {
    this.#options = options
    this.#log = log
  }

  async listen(channel: string, handler: Handler): Promise<() => Promise<void>> {
    const handlers = this.#handlers.get(channel) ?? new Set()
    this.#handlers.set(channel, handlers.add(handler))
    if (handlers.size === 1) await this.#subscribe(channel)
    return async () => {
      handlers.delete(handler)
      if (handlers.size > 0 || this.#handlers.get(channel) !== handlers) return
      this.#handlers.delete(channel)
      await this.#client?.query(`unlisten ${pg.escapeIdentifier(channel)}`).catch(() => {})
    }
  }

  async #subscribe(channel: string): Promise<void> {
    const existing = this.#client
    if (existing) await existing.query(`listen ${pg.escapeIdentifier(channel)}`).catch(() => {})
    else await this.#connect()
  }

  #connect(): Promise<void> {
    this.#connecting ??= this.#open().finally(() => {
      this.#connecting = undefined
    })
    return this.#connecting
  }

  async #open(): Promise<void> {
    const client = new pg.Client(clientConfig(this.#options))
    client.on('error', () => {})
    client.once('end', () => this.#lost(client))
    client.on('notification', ({ channel, payload }) => this.#deliver(channel, payload ?? ''))
    try {
      await client.connect()
      for (const channel of this.#handlers.keys()) await client.query(`listen ${pg.escapeIdentifier(channel)}`)
      this.#client = client
      this.#delayMs = 100
    } catch (error) {
      this.#log.warn({ err: error }, 'no connection for notifications; trying again')
      await client.end().catch(() => {})
      this.#lost(client)
    }
  }

  #deliver(channel: string, payload: string): void {
    for (const handler of this.#handlers.get(channel) ?? []) handler(payload)
  }

  #lost(client: pg.Client): void {
    if (this.#client === client) this.#client = undefined
    if (this.#closed || this.#retry) return
    this.#retry = setTimeout(() => {
      this.#retry = undefined
      if (!this.#closed && this.#handlers.size > 0) void this.#connect()
    }, this.#delayMs)
    this.#retry.unref()
    this.#delayMs = Math.min(this.#delayMs * 2, 5000)
  }

  async close(): Promise<void> {
    this.#closed = true
    clearTimeout(this.#retry)
    await this.#connecting
    await this.#client?.end().catch(() => {})
  }
}
