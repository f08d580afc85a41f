import {
  type ClaimedTask,
  claimAcrossTenants,
  ENGINE_CHANNEL,
  extendLease,
  leaseOwner,
  readWake,
  releaseTask,
} from '@story-portal/shared/engine'
import type { Host } from '@story-portal/shared/mcp'
import { carryOut, type Held } from './carry-out.ts'
import { taskScope } from './dispatch.ts'
import { isLeaseLost } from './outcome.ts'
import { runIds } from './run-ids.ts'

/** Part of the drain limit that running tasks get before their leases are handed back. */
const DRAIN_SHARE = 0.7

/** Why a running task is given up: its lease went to another, or the process stops. */
export type GiveUp = 'lease_lost' | 'draining'

/**
 * Claims code and tool tasks of all tenants up to the configured number and carries them out. Notifications wake it; a timer
 * looks anyway, because a notification is a hint and may get lost.
 */
export class Executor {
  readonly #host: Host
  readonly #held = new Map<string, Held>()
  readonly #runIdOf: ReturnType<typeof runIds>
  readonly #timers = new Set<NodeJS.Timeout>()
  #unlisten: () => Promise<void> = async () => {}
  #stopping = false
  #filling: Promise<void> | undefined
  #again = false

  constructor(host: Host) {
    this.#host = host
    this.#runIdOf = runIds(host)
  }

  async start(): Promise<void> {
    const { engine } = this.#host.config
    this.#unlisten = await this.#host.db.listen(ENGINE_CHANNEL, (payload) => this.#woken(payload))
    this.#timers.add(setInterval(() => this.#fill(), engine.reconcileMs))
    this.#timers.add(setInterval(() => void this.#beat(), Math.max(50, engine.leaseMs / 3)))
    this.#fill()
  }

  /** Claims nothing more, lets running tasks finish for a while, hands the rest back for others to continue at once. */
  async stop(): Promise<void> {
    this.#stopping = true
    await this.#unlisten()
    await this.#filling
    const running = () => Promise.all([...this.#held.values()].map(({ done }) => done))
    const limit = new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, this.#host.config.mcp.drainMs * DRAIN_SHARE)
      this.#timers.add(timer)
    })
    await Promise.race([running(), limit])
    const left = [...this.#held.values()]
    for (const { abort } of left) abort.abort('draining' satisfies GiveUp)
    await running()
    await Promise.all(left.map(({ task, runId }) => this.#release(task, runId)))
    for (const timer of this.#timers) clearInterval(timer)
  }

  #woken(payload: string): void {
    const wake = readWake(payload)
    if (wake === undefined || this.#stopping) return
    if (wake.what === 'plan') void this.#beat(wake.plan_id)
    if (wake.what === 'retry') this.#fillIn(wake.in_ms ?? 0)
    else this.#fill()
  }

  /** By this process's clock, which may be off: the row decides whether it is time, and the timer of `start` looks again. */
  #fillIn(ms: number): void {
    const timer = setTimeout(
      () => {
        this.#timers.delete(timer)
        this.#fill()
      },
      Math.min(ms, 2 ** 31 - 1),
    )
    this.#timers.add(timer)
  }

  #fill(): void {
    this.#again = true
    this.#filling ??= this.#claimAll().finally(() => {
      this.#filling = undefined
    })
  }

  async #claimAll(): Promise<void> {
    const { db, config, boot_id, log } = this.#host
    while (this.#again && !this.#stopping) {
      this.#again = false
      const limit = config.engine.taskConcurrency - this.#held.size
      if (limit <= 0) return
      try {
        const worker = leaseOwner(boot_id)
        const claimed = await claimAcrossTenants(db, {
          kinds: ['code', 'tool', 'approval'],
          limit,
          worker,
          lease_ms: config.engine.leaseMs,
          wait_ms: config.sandbox.waitMs,
        })
        for (const task of claimed) this.#begin(task)
        // A full batch: there may be more, up to the limit.
        if (claimed.length === limit) this.#again = true
      } catch (error) {
        log.warn({ err: error }, 'no tasks could be claimed; the next look tries again')
      }
    }
  }

  #begin(task: ClaimedTask): void {
    const held: Held = {
      task,
      abort: new AbortController(),
      runId: undefined,
      seen: performance.now(),
      done: Promise.resolve(),
    }
    this.#held.set(task.id, held)
    held.done = carryOut(this.#host, held, this.#runIdOf)
      .catch((error: unknown) => this.#host.log.error({ err: error, task_id: task.id }, 'a task was left to its lease'))
      .finally(() => {
        this.#held.delete(task.id)
        if (!this.#stopping) this.#fill()
      })
  }

  /** Extends the leases of running tasks; one that is lost stops its task, whose result would be refused. */
  async #beat(planId?: string): Promise<void> {
    const held = [...this.#held.values()].filter(({ task }) => planId === undefined || task.plan_id === planId)
    await Promise.all(held.map((one) => this.#extend(one)))
  }

  async #extend(held: Held): Promise<void> {
    const { db, config, log } = this.#host
    const { task, abort, runId } = held
    const lease_ms = config.engine.leaseMs
    try {
      await db.tx(taskScope(task, runId), (tx) => extendLease(tx, { task_id: task.id, fence: task.fence, lease_ms }))
      held.seen = performance.now()
    } catch (error) {
      // Without a database nobody can say whose the task is; once the lease must have ended it is not ours.
      if (isLeaseLost(error) || performance.now() - held.seen > lease_ms) abort.abort('lease_lost' satisfies GiveUp)
      else log.warn({ err: error, task_id: task.id }, 'a lease could not be extended')
    }
  }

  async #release(task: ClaimedTask, runId: string | undefined): Promise<void> {
    try {
      await this.#host.db.tx(taskScope(task, runId), (tx) => releaseTask(tx, { task_id: task.id, fence: task.fence }))
    } catch (error) {
      this.#host.log.warn({ err: error, task_id: task.id }, 'a lease could not be handed back; it ends by itself')
    }
  }
}
