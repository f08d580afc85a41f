import type pg from 'pg'
import { inOneWrite, type Lease } from '../connection.ts'
import { prepared } from '../prepared.ts'
import type { Engine } from './engine.ts'

/** Longer than a busy event loop is behind, far shorter than what is watched for. */
const LATE_MS = 250

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
      return await this.engine.client.query(prepared(text, parameters))
    } catch (error) {
      throw this.#revoked ?? error
    }
  }

  together<T>(send: () => T): T {
    return inOneWrite(this.engine.client, send)
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
    this.#watch(this.#events.queryMs(), () => this.#events.onSlow())
  }

  idle(): void {
    this.#outstanding -= 1
    if (this.#outstanding <= 0) this.#watchIdle()
  }

  #watchIdle(): void {
    this.#watch(this.#events.idleMs, () => this.#events.onIdle(this))
  }

  /** A timer that comes late says that this thread was busy, not that the other side was: then it is given its time again. */
  #watch(ms: number, act: () => void): void {
    clearTimeout(this.#timer)
    if (this.#released || this.#revoked) return
    const due = performance.now() + ms
    this.#timer = setTimeout(() => {
      if (performance.now() - due > LATE_MS) this.#watch(ms, act)
      else act()
    }, ms)
  }
}
