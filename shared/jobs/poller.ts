import { sql } from 'kysely'
import type { PgBoss } from 'pg-boss'
import type { Db } from '../db/index.ts'
import { toErrorBody } from '../errors/index.ts'
import type { Logger } from '../telemetry/index.ts'
import { HEARTBEAT_SECONDS } from './boss.ts'
import { jobErrors } from './errors.ts'
import type { Job, Queue, Worker } from './types.ts'

interface Station {
  queue: Queue
  run: (job: Job) => Promise<void>
  concurrency: number
  /** Jobs under way, each by itself: one that fails never takes another with it. */
  active: Map<string, { stop: AbortController; done: Promise<void> }>
}

interface Taken {
  id: string
  data: unknown
  retryCount: number
  expireInSeconds: number
}

/** How long `stop` waits for jobs that were told to stop; their rows are given back by their expiry. */
const STOP_MS = 5_000

/**
 * One loop per process for all queues: one statement asks which of them have work, only those are fetched from. pg-boss's own
 * workers poll once per queue and place, which a database with one connection feels.
 */
export class Poller {
  readonly #boss: PgBoss
  readonly #db: Db
  readonly #log: Pick<Logger, 'warn' | 'error'>
  readonly #pollMs: number
  readonly #stations = new Map<string, Station>()
  #running = false
  #loop: Promise<void> = Promise.resolve()
  #again = false
  #ring: () => void = () => {}

  constructor(boss: PgBoss, db: Db, log: Pick<Logger, 'warn' | 'error'>, pollMs: number) {
    this.#boss = boss
    this.#db = db
    this.#log = log
    this.#pollMs = pollMs
  }

  add(queue: Queue, run: Station['run'], concurrency: number): Worker {
    if (this.#stations.has(queue.name)) throw new Error(`this process works on ${queue.name} already`)
    const station: Station = { queue, run, concurrency, active: new Map() }
    this.#stations.set(queue.name, station)
    this.wake()
    return {
      stop: async () => {
        this.#stations.delete(queue.name)
        await finish(station)
      },
    }
  }

  async start(): Promise<void> {
    if (this.#running) return
    this.#running = true
    this.#loop = this.#run()
  }

  /** Looks at once instead of after the wait. */
  wake(): void {
    this.#again = true
    this.#ring()
  }

  async stop(): Promise<void> {
    this.#running = false
    this.wake()
    await this.#loop
    await Promise.all([...this.#stations.values()].map(finish))
  }

  async #run(): Promise<void> {
    while (this.#running) {
      this.#again = false
      try {
        for (const station of await this.#withWork()) await this.#take(station)
      } catch (error) {
        // The database is away: jobs stay where they are, and the next look finds them.
        this.#log.warn({ err: error }, 'the job queue could not be read')
      }
      if (this.#running && !this.#again) await this.#wait()
    }
  }

  async #wait(): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, this.#pollMs)
      this.#ring = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }

  async #withWork(): Promise<Station[]> {
    const free = [...this.#stations.values()].filter((station) => station.active.size < station.concurrency)
    if (free.length === 0) return []
    const { rows } = await sql<{ name: string }>`
      select q.name from unnest(${free.map(({ queue }) => queue.name)}::text[]) as q(name)
      where exists (select from pgboss.job j where j.name = q.name and j.state < 'active' and j.start_after <= now())
    `.execute(this.#db.raw)
    const names = new Set(rows.map(({ name }) => name))
    return free.filter(({ queue }) => names.has(queue.name))
  }

  async #take(station: Station): Promise<void> {
    const free = station.concurrency - station.active.size
    const taken = (await this.#boss.fetch(station.queue.name, { batchSize: free, includeMetadata: true })) as Taken[]
    for (const job of taken) {
      const stop = new AbortController()
      const done = this.#handle(station, job, stop).finally(() => {
        station.active.delete(job.id)
        this.wake()
      })
      station.active.set(job.id, { stop, done })
    }
  }

  async #handle(station: Station, taken: Taken, stop: AbortController): Promise<void> {
    const { queue } = station
    const expired = jobErrors.jobExpired({ queue: queue.name, seconds: queue.expire_seconds })
    const timer = setTimeout(() => stop.abort(expired), queue.expire_seconds * 1_000)
    const heart = setInterval(() => void this.#beat(queue, taken.id), (HEARTBEAT_SECONDS * 1_000) / 3)
    const job = {
      id: taken.id,
      queue: queue.name,
      data: taken.data,
      attempt: taken.retryCount + 1,
      signal: stop.signal,
    }
    try {
      await station.run(job)
    } catch (error) {
      this.#log.warn({ err: error, queue: queue.name, job: job.id, attempt: job.attempt }, 'a job failed')
      await this.#fail(queue, job.id, error)
    } finally {
      clearTimeout(timer)
      clearInterval(heart)
    }
  }

  async #beat(queue: Queue, id: string): Promise<void> {
    try {
      await this.#boss.touch(queue.name, id)
    } catch (error) {
      // Two more follow before the job is given back.
      this.#log.warn({ err: error, queue: queue.name, job: id }, 'a running job could not give a sign')
    }
  }

  /** Only our own words are kept with the job; the reason itself is in the log. */
  async #fail(queue: Queue, id: string, error: unknown): Promise<void> {
    try {
      await this.#boss.fail(queue.name, id, { ...toErrorBody(error).error })
    } catch (failure) {
      // Its expiry gives it back.
      this.#log.warn({ err: failure, queue: queue.name, job: id }, 'a failed job could not be marked')
    }
  }
}

async function finish(station: Station): Promise<void> {
  for (const { stop } of station.active.values()) stop.abort()
  const all = Promise.all([...station.active.values()].map(({ done }) => done))
  let timer: NodeJS.Timeout | undefined
  const patience = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, STOP_MS)
  })
  await Promise.race([all, patience])
  clearTimeout(timer)
}
