import { setTimeout as sleep } from 'node:timers/promises'
import type { Client } from '../client.ts'
import type { Receiver } from '../receiver.ts'
import { runBackground } from './background.ts'
import { follow } from './follower.ts'
import { runPlans } from './plans.ts'
import { writeOverStdio } from './stdio-writer.ts'
import { writeEvents, writeGoals, writeRecords } from './writers.ts'

export interface LoadOptions {
  client: Client
  receiver: Receiver
  home: string
  /** Where the stdio entry is run from, and with what. */
  tree: string
  env: Record<string, string>
}

/** What was done to a platform, as its clients know it. Only what was acknowledged is written down. */
export interface Ledger {
  /** Id to the title that was acknowledged last. */
  goals: Map<string, string>
  /** Stream to the numbers in it, in the order of their acknowledgement. */
  events: Map<string, number[]>
  /** Id to comment. */
  feedback: Map<string, string>
  /** Invocation to the number it must return. */
  background: Map<string, number>
  plans: { id: string; name: string }[]
  /** Events as a follower met them while everything broke. */
  followed: { position: string; stream: string; version: number }[]
  /** Calls that ended in a way they must not. */
  troubles: string[]
}

export interface Work extends LoadOptions {
  ledger: Ledger
  /** Aborted when nothing new is to be begun. */
  enough: AbortSignal
  /** Aborted when even what was begun need not end. */
  abandoned: AbortSignal
}

/** Everything that happens on the platform while it is harmed. */
export class Load {
  readonly ledger: Ledger = {
    goals: new Map(),
    events: new Map(),
    feedback: new Map(),
    background: new Map(),
    plans: [],
    followed: [],
    troubles: [],
  }
  readonly #options: LoadOptions
  readonly #enough = new AbortController()
  readonly #abandoned = new AbortController()
  #running: Promise<void>[] = []
  #following: Promise<void> = Promise.resolve()

  constructor(options: LoadOptions) {
    this.#options = options
  }

  start(): void {
    const work = {
      ...this.#options,
      ledger: this.ledger,
      enough: this.#enough.signal,
      abandoned: this.#abandoned.signal,
    }
    const parts = { runPlans, writeGoals, writeEvents, writeRecords, writeOverStdio, runBackground }
    this.#running = Object.entries(parts).map(([name, part]) => this.#watched(name, part(work)))
    this.#following = this.#watched('follow', follow(work, this.#abandoned.signal))
  }

  /** How many acknowledgements there are; grows while the platform works. */
  acknowledged(): number {
    const { goals, events, feedback, background } = this.ledger
    return goals.size + [...events.values()].flat().length + feedback.size + background.size
  }

  /** Begins nothing new, waits for what was begun, and lets the follower see the end of the log. */
  async finish(): Promise<void> {
    this.#enough.abort()
    await Promise.all(this.#running)
    await sleep(3_000)
    this.#abandoned.abort()
    await this.#following
  }

  async abandon(): Promise<void> {
    this.#enough.abort()
    this.#abandoned.abort()
    await Promise.race([Promise.all([...this.#running, this.#following]), sleep(2_000, undefined, { ref: false })])
  }

  async #watched(name: string, part: Promise<void>): Promise<void> {
    try {
      await part
    } catch (error) {
      if (!this.#abandoned.signal.aborted) this.ledger.troubles.push(`${name}: ${String(error)}`)
    }
  }
}
