import type pg from 'pg'
import type { Lease } from '../connection.ts'
import type { Engine } from './engine.ts'

export interface HolderEvents {
  idleMs: number
  queryMs(): number
  onIdle(holder: Holder): void
  onSlow(): void
  onRelease(holder: Holder, broken: boolean): void
}

/** The connection while one user has it, with the two clocks that watch over it. */
export class Holder implements Lease {
  readonly engine: Engine
  readonly #events: HolderEvents
  #timer: NodeJS.Timeout | undefined
  #outstanding = 0
  #revoked: Error | undefined
  #released = false

  constructor(engine: Engine, events: HolderEvents) {
    this.engine = engine
    this.#events = events
    this.#watchIdle()
  }

  async query(text: string, parameters: readonly unknown[] = []): Promise<pg.QueryResult | pg.QueryResult[]> {
    if (this.#revoked) throw this.#revoked
    try {
      return parameters.length > 0
        ? await this.engine.client.query(text, [...parameters])
        : await this.engine.client.query(text)
    } catch (error) {
      throw this.#revoked ?? error
    }
  }

  atRest(): boolean {
    return this.#revoked !== undefined || this.engine.client.getTransactionStatus() === 'I'
  }

  release(broken: boolean): void {
    if (this.#released) return
    this.#released = true
    clearTimeout(this.#timer)
    this.#events.onRelease(this, broken)
  }

  /** From here on every statement of this user fails with `reason`, also those of a transaction it believes to be in. */
  revoke(reason: Error): void {
    this.#revoked ??= reason
    clearTimeout(this.#timer)
  }

  busy(): void {
    this.#outstanding += 1
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.#events.onSlow(), this.#events.queryMs())
  }

  idle(): void {
    this.#outstanding -= 1
    clearTimeout(this.#timer)
    if (this.#outstanding <= 0) this.#watchIdle()
  }

  #watchIdle(): void {
    if (this.#released || this.#revoked) return
    this.#timer = setTimeout(() => this.#events.onIdle(this), this.#events.idleMs)
  }
}
