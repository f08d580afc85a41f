import pg from 'pg'
import type { Logger } from '../../telemetry/index.ts'
import type { ClientSource, Lease } from '../connection.ts'
import { dbErrors } from '../errors.ts'
import { Engine, type EngineEvents } from './engine.ts'
import { Holder } from './holder.ts'
import type { WorkerOptions } from './protocol.ts'
import { whyNotOpen } from './why-not-open.ts'

export interface EmbeddedOptions extends WorkerOptions {
  maxQueryMs: number
  idleTransactionMs: number
}

interface Waiter {
  grant(): void
  refuse(error: Error): void
}

const RETRY_OPEN_MS = 2000

type Handler = (payload: string) => void

/**
 * The one connection of the embedded database, lent to one user at a time in the order they came. What PostgreSQL's own
 * timeouts do elsewhere is done here from outside, because in PGlite they are ignored or hang the thread for good.
 */
export class EmbeddedSource implements ClientSource {
  readonly #options: EmbeddedOptions
  readonly #log: Logger
  readonly #waiters: Waiter[] = []
  readonly #handlers = new Map<string, Set<Handler>>()
  #engine: Engine | undefined
  #opening: Promise<Engine> | undefined
  #holder: Holder | undefined
  #failure: { error: Error; until: number } | undefined
  #closed = false
  #resting = false
  /** How often the thread had to be started again. */
  restarts = 0
  /** Above this a query is ended; migrations raise it while they run. */
  maxQueryMs: number

  constructor(options: EmbeddedOptions, log: Logger) {
    this.#options = options
    this.maxQueryMs = options.maxQueryMs
    this.#log = log
  }

  get vector(): boolean {
    return this.#engine?.extension.vector !== undefined
  }

  get waiting(): number {
    return this.#waiters.length
  }

  get busy(): boolean {
    return this.#holder !== undefined || this.#resting
  }

  get running(): boolean {
    return this.#engine !== undefined
  }

  /** Starts the thread when there is none; every call meets the same start. */
  open(): Promise<Engine> {
    return this.#engine ? Promise.resolve(this.#engine) : this.#openAfter(undefined)
  }

  /** Never before the thread of `old` is gone: two on one directory lose rows. */
  #openAfter(old: Engine | undefined): Promise<Engine> {
    const start = async () => {
      await old?.kill()
      return this.#start()
    }
    this.#opening ??= start().finally(() => {
      this.#opening = undefined
    })
    return this.#opening
  }

  async #start(): Promise<Engine> {
    // Everybody in the queue would try again, each for seconds, while the cause lasts.
    if (this.#failure && performance.now() < this.#failure.until) throw this.#failure.error
    try {
      const engine = await Engine.start(this.#options, (lost) => this.#events(lost), this.#log)
      for (const channel of this.#handlers.keys()) await engine.client.query(`listen ${pg.escapeIdentifier(channel)}`)
      this.#failure = undefined
      this.#engine = engine
      return engine
    } catch (error) {
      const reason = whyNotOpen(error, this.#options.dataDir)
      this.#failure = { error: reason, until: performance.now() + RETRY_OPEN_MS }
      throw reason
    }
  }

  #events(engine: Engine): EngineEvents {
    return {
      lost: (reason) => this.#lost(engine, dbErrors.restarting({}, { cause: reason, retry_after_ms: 2000 })),
      notification: (channel, payload) => {
        for (const handler of this.#handlers.get(channel) ?? []) handler(payload)
      },
      busy: () => this.#holder?.busy(),
      idle: () => this.#holder?.idle(),
    }
  }

  async acquire(): Promise<Lease> {
    await this.#turn()
    try {
      const engine = await this.open()
      const holder = new Holder(engine, {
        idleMs: this.#options.idleTransactionMs,
        queryMs: () => this.maxQueryMs,
        onIdle: (h) => void this.#evict(h),
        onSlow: () => this.#killSlow(),
        onRelease: (h, broken) => this.#released(h, broken),
      })
      this.#holder = holder
      return holder
    } catch (error) {
      this.#next()
      throw error
    }
  }

  #taken = false

  async #turn(): Promise<void> {
    if (this.#closed) throw dbErrors.closed()
    if (!this.#taken) {
      this.#taken = true
      return
    }
    await new Promise<void>((grant, refuse) => this.#waiters.push({ grant, refuse }))
  }

  #next(): void {
    const waiter = this.#waiters.shift()
    if (waiter) waiter.grant()
    else this.#taken = false
  }

  #released(holder: Holder, broken: boolean): void {
    if (this.#holder !== holder) return
    this.#holder = undefined
    // The next user must not inherit an open transaction.
    if (broken) void this.#rollback(holder)
    else this.#next()
  }

  async #rollback(holder: Holder): Promise<void> {
    // When the thread is gone there is nothing to roll back.
    await holder.engine.client.query('rollback').catch(() => {})
    this.#next()
  }

  /** Somebody holds the connection and says nothing: the transaction is rolled back and the next one gets its turn. */
  async #evict(holder: Holder): Promise<void> {
    if (this.#holder !== holder) return
    this.#log.warn('a transaction stood still and was rolled back')
    holder.revoke(dbErrors.idleTransaction())
    this.#holder = undefined
    await this.#rollback(holder)
  }

  /** The only way to end a query in WASM: end the thread, open the directory again. Who waited is told to come back. */
  #killSlow(): void {
    const engine = this.#engine
    if (!engine) return
    this.#log.error({ limit_ms: this.maxQueryMs }, 'a query took too long: the embedded database starts again')
    this.#holder?.revoke(dbErrors.tooSlow())
    this.#lost(engine, dbErrors.restarting({}, { retry_after_ms: 2000 }))
  }

  #lost(engine: Engine, reason: Error): void {
    if (this.#engine !== engine) return
    this.#engine = undefined
    this.restarts += 1
    const holder = this.#holder
    this.#holder = undefined
    holder?.revoke(reason)
    for (const waiter of this.#waiters.splice(0)) waiter.refuse(reason)
    if (holder) this.#taken = false
    // Opened again at once, so that listeners are served and the next caller does not wait for it.
    if (!this.#closed) {
      this.#openAfter(engine).catch((error) => this.#log.error({ err: error }, 'the embedded database does not open'))
    }
  }

  async listen(channel: string, handler: Handler): Promise<() => Promise<void>> {
    const handlers = this.#handlers.get(channel) ?? new Set()
    this.#handlers.set(channel, handlers.add(handler))
    if (handlers.size === 1) await this.#command(`listen ${pg.escapeIdentifier(channel)}`)
    return async () => {
      handlers.delete(handler)
      if (handlers.size > 0 || this.#handlers.get(channel) !== handlers) return
      this.#handlers.delete(channel)
      if (!this.#closed) await this.#command(`unlisten ${pg.escapeIdentifier(channel)}`)
    }
  }

  async #command(text: string): Promise<void> {
    const lease = await this.acquire()
    try {
      await lease.query(text)
    } finally {
      lease.release(false)
    }
  }

  /** The whole directory as a tar, taken between two transactions. */
  async dump(): Promise<Uint8Array> {
    const lease = await this.acquire()
    try {
      return await (await this.open()).dump()
    } finally {
      lease.release(false)
    }
  }

  /** Runs `work` between two transactions, while nothing is written to the directory. */
  async still<T>(work: () => Promise<T>): Promise<T> {
    await this.#turn()
    this.#resting = true
    const { restarts } = this
    try {
      const result = await work()
      if (this.restarts !== restarts) throw new Error('the database was started again meanwhile')
      return result
    } finally {
      this.#resting = false
      this.#next()
    }
  }

  async end(): Promise<void> {
    if (this.#closed) return
    // The last in the queue: what was asked for before is finished.
    const turn = this.#turn()
    this.#closed = true
    await turn.catch(() => {})
    for (const waiter of this.#waiters.splice(0)) waiter.refuse(dbErrors.closed())
    await this.#opening?.catch(() => {})
    await this.#engine?.close()
    this.#engine = undefined
  }
}
