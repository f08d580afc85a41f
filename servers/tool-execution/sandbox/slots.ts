import { errors } from '@story-portal/shared/errors'
import { faults } from '../errors.ts'
import { FairQueue } from './fair-queue.ts'

export interface SlotsOptions {
  /** Runs at a time, per call depth: a nested run never waits for the run that called it. */
  perDepth: readonly number[]
  /** Waiting runs per depth; more are refused. */
  queueLength: number
  /** Longest wait of a run; undefined for no limit. */
  waitMs?: number | undefined
}

interface Waiter {
  grant(): void
  refuse(error: Error): void
}

interface Lane {
  size: number
  active: number
  queue: FairQueue<Waiter>
}

/** The right to run: counted per call depth, waited for in turn by tenant. */
export class Slots {
  readonly #lanes: Lane[]
  readonly #queueLength: number
  readonly #waitMs: number | undefined

  constructor(options: SlotsOptions) {
    this.#lanes = options.perDepth.map((size) => ({ size, active: 0, queue: new FairQueue<Waiter>() }))
    this.#queueLength = options.queueLength
    this.#waitMs = options.waitMs
  }

  get active(): number {
    return this.#lanes.reduce((sum, lane) => sum + lane.active, 0)
  }

  get queued(): number {
    return this.#lanes.reduce((sum, lane) => sum + lane.queue.size, 0)
  }

  /** Resolves with the function that gives the slot back; rejects with E3019, E3022, E3025, or when `signal` is aborted. */
  async take(depth: number, group: string, signal?: AbortSignal): Promise<() => void> {
    const lane = this.#lanes[depth]
    if (!lane) throw faults.depthLimit({ limit: this.#lanes.length })
    if (signal?.aborted) throw errors.cancelled()
    if (lane.active < lane.size) lane.active += 1
    else await this.#wait(lane, group, signal)
    let held = true
    return () => {
      if (held) this.#release(lane)
      held = false
    }
  }

  #wait(lane: Lane, group: string, signal?: AbortSignal): Promise<void> {
    if (lane.queue.size >= this.#queueLength) {
      throw faults.busy({ queued: lane.queue.size }, { retry_after_ms: 1000 })
    }
    return new Promise((resolve, reject) => {
      const leaveWith = (error: Error): void => {
        if (lane.queue.remove(group, waiter)) waiter.refuse(error)
      }
      const leave = (): void => leaveWith(errors.cancelled())
      const ms = this.#waitMs
      const timer = ms === undefined ? undefined : setTimeout(() => leaveWith(faults.waitedTooLong({ ms })), ms)
      const settled = (): void => {
        clearTimeout(timer)
        signal?.removeEventListener('abort', leave)
      }
      const waiter: Waiter = {
        grant() {
          settled()
          resolve()
        },
        refuse(error) {
          settled()
          reject(error)
        },
      }
      lane.queue.push(group, waiter)
      signal?.addEventListener('abort', leave, { once: true })
    })
  }

  #release(lane: Lane): void {
    const next = lane.queue.shift()
    if (next) next.grant()
    else lane.active -= 1
  }

  /** Refuses everything that still waits. */
  close(error: Error): void {
    for (const lane of this.#lanes) {
      for (let waiter = lane.queue.shift(); waiter; waiter = lane.queue.shift()) waiter.refuse(error)
    }
  }
}
