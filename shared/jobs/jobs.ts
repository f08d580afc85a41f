import { randomUUID } from 'node:crypto'
import type { PgBoss } from 'pg-boss'
import type { Db, Tx } from '../db/index.ts'
import type { Logger } from '../telemetry/index.ts'
import { bossOn, ensureQueue, giveBackTaken, inside } from './boss.ts'
import { jobErrors } from './errors.ts'
import { keepStatistics, type Maintenance } from './maintenance.ts'
import { Poller } from './poller.ts'
import { deadLetterName, definedQueues } from './queues.ts'
import type { DeadLetter, EnqueueOptions, Job, Jobs, Queue, Worker, WorkOptions } from './types.ts'

export interface JobsOptions {
  db: Db
  log: Pick<Logger, 'warn' | 'error'>
  /** How often the poller looks when nothing wakes it; default 2,000 ms. */
  poll_ms?: number
}

/** Rows added by one statement above which the planner's statistics are renewed at once. */
const BULK = 1_000

/**
 * Opens the job queue: jobs can be added at once, and are worked on after `start()`. When the database is away this still
 * returns, `enqueue` answers UNAVAILABLE, and `start()` tries again.
 */
export async function createJobs(options: JobsOptions): Promise<Jobs> {
  const jobs = new PgBossJobs(options)
  await jobs.open().catch((error: unknown) => options.log.warn({ err: error }, 'the job queue is not open yet'))
  return jobs
}

class PgBossJobs implements Jobs {
  readonly #db: Db
  readonly #log: JobsOptions['log']
  readonly #boss: PgBoss
  readonly #poller: Poller
  #open = false
  #keeper: PgBoss | undefined
  #maintenance: Maintenance | undefined
  readonly #ensured = new Set<string>()

  constructor({ db, log, poll_ms = 2_000 }: JobsOptions) {
    this.#db = db
    this.#log = log
    this.#boss = bossOn(db, { schedule: false, supervise: false })
    this.#boss.on('error', (error) => log.warn({ err: error }, 'pg-boss reports an error'))
    this.#poller = new Poller(this.#boss, db, log, poll_ms)
  }

  /** Outside any transaction and before the first enqueue: pg-boss reads a queue's settings on a connection of its own. */
  async open(): Promise<void> {
    if (!this.#open) await this.#boss.start()
    this.#open = true
    for (const queue of definedQueues()) await this.#ensure(queue)
  }

  async #ensure(queue: Queue): Promise<void> {
    if (this.#ensured.has(queue.name)) return
    await ensureQueue(this.#boss, queue)
    this.#ensured.add(queue.name)
  }

  async enqueue<T extends object>(
    tx: Tx,
    queue: Queue<T>,
    data: T,
    options: EnqueueOptions = {},
  ): Promise<string | null> {
    this.#assertReady(queue)
    const id = await this.#boss.send(queue.name, data, { ...sendOptions(options), db: inside(tx) })
    if (options.delay_seconds === undefined) tx.afterCommit(() => this.#poller.wake())
    return id
  }

  async enqueueMany<T extends object>(
    tx: Tx,
    queue: Queue<T>,
    data: readonly T[],
    { singleton_key = () => randomUUID() }: { singleton_key?: (item: T) => string } = {},
  ): Promise<void> {
    this.#assertReady(queue)
    if (data.length === 0) return
    await this.#boss.insert(
      queue.name,
      data.map((item) => ({ data: item, singletonKey: singleton_key(item) })),
      { db: inside(tx) },
    )
    tx.afterCommit(async () => {
      this.#poller.wake()
      if (data.length >= BULK) await this.#maintenance?.now()
    })
  }

  async work<T extends object>(
    queue: Queue<T>,
    handler: (job: Job<T>) => Promise<void>,
    options: WorkOptions = {},
  ): Promise<Worker> {
    await this.#ensure(queue)
    return this.#poller.add(
      queue,
      async (job) => {
        await handler(job as Job<T>)
        await this.#boss.complete(queue.name, job.id)
      },
      options.concurrency ?? 2,
    )
  }

  async workInTransaction<T extends object>(
    queue: Queue<T>,
    handler: (tx: Tx, job: Job<T>) => Promise<void>,
  ): Promise<Worker> {
    await this.#ensure(queue)
    const scope = { kind: 'system', name: queue.name } as const
    return this.#poller.add(
      queue,
      async (job) => {
        await this.#db.tx(scope, async (tx) => {
          await handler(tx, job as Job<T>)
          await this.#boss.complete(queue.name, job.id, null, { db: inside(tx) })
        })
      },
      1,
    )
  }

  async schedule<T extends object>(queue: Queue<T>, cron: string, data: T): Promise<void> {
    await this.#ensure(queue)
    await this.#boss.schedule(queue.name, cron, data, { tz: 'UTC' })
  }

  async deadLetters(queue: Queue, { limit = 100 }: { limit?: number } = {}): Promise<DeadLetter[]> {
    await this.#ensure(queue)
    const jobs = await this.#boss.findJobs(deadLetterName(queue), { queued: true, limit })
    return jobs.map((job) => ({
      id: job.id,
      queue: queue.name,
      data: job.data,
      error: job.output,
      failed_at: new Date(job.createdOn).toISOString(),
    }))
  }

  async redrive(queue: Queue, ids?: readonly string[]): Promise<number> {
    await this.#ensure(queue)
    const moved = ids ? await this.#redriveEach(queue, ids) : await this.#boss.redrive(deadLetterName(queue))
    this.#poller.wake()
    return moved
  }

  /** Each in a transaction of its own: put back and taken out of the dead letters, or neither. */
  async #redriveEach(queue: Queue, ids: readonly string[]): Promise<number> {
    const dead = deadLetterName(queue)
    let moved = 0
    for (const id of ids) {
      moved += await this.#db.tx({ kind: 'system', name: 'jobs.redrive' }, async (tx) => {
        const options = { db: inside(tx) }
        const [job] = await this.#boss.findJobs(dead, { id, ...options })
        if (!job) return 0
        await this.#boss.deleteJob(dead, id, options)
        await this.#boss.send(queue.name, job.data as object, { ...sendOptions({}), ...options })
        return 1
      })
    }
    return moved
  }

  async discard(queue: Queue, ids: readonly string[]): Promise<number> {
    await this.#ensure(queue)
    const found = await Promise.all(ids.map((id) => this.#boss.findJobs(deadLetterName(queue), { id })))
    const there = found.flat().map(({ id }) => id)
    if (there.length > 0) await this.#boss.deleteJob(deadLetterName(queue), there)
    return there.length
  }

  async start(): Promise<void> {
    await this.open()
    if (this.#db.mode === 'embedded') await giveBackTaken(this.#db)
    this.#keeper = bossOn(this.#db, { schedule: true, supervise: true })
    this.#keeper.on('error', (error) => this.#log.warn({ err: error }, 'pg-boss reports an error'))
    await this.#keeper.start()
    this.#maintenance = keepStatistics(this.#db, this.#log)
    await this.#poller.start()
  }

  async stop(): Promise<void> {
    await this.#poller.stop()
    await this.#maintenance?.stop()
    for (const boss of [this.#keeper, this.#boss]) await boss?.stop({ graceful: false, close: false })
    this.#open = false
  }

  #assertReady(queue: Queue): void {
    if (!this.#open) throw jobErrors.notOpen()
    if (!this.#ensured.has(queue.name)) throw jobErrors.unknownQueue({ queue: queue.name })
  }
}

function sendOptions({ delay_seconds, singleton_key, priority }: EnqueueOptions) {
  return {
    ...(delay_seconds === undefined ? {} : { startAfter: delay_seconds }),
    singletonKey: singleton_key ?? randomUUID(),
    ...(priority === undefined ? {} : { priority }),
  }
}
