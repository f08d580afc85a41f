import type { Tx } from '../db/index.ts'

/** One job as its handler gets it. */
export interface Job<T = unknown> {
  id: string
  queue: string
  data: T
  /** 1 for the first try. */
  attempt: number
  /** Aborted when the process drains or the job's time is over. */
  signal: AbortSignal
}

export interface EnqueueOptions {
  /** Not before this many seconds from now, by the database's clock. */
  delay_seconds?: number
  /** While a job with the same key waits to be taken, another is not added. */
  singleton_key?: string
  /** Higher goes first. */
  priority?: number
}

export interface WorkOptions {
  /** Jobs of this queue at one time in this process; default 2. */
  concurrency?: number
}

export interface DeadLetter {
  id: string
  queue: string
  data: unknown
  /** Our own error body; never a third party's words. */
  error: unknown
  failed_at: string
}

/** A queue as its module declares it with `defineQueue`. */
export interface Queue<T = unknown> {
  readonly name: string
  /** Tries after the first; then the job goes to the dead letters. */
  readonly retry_limit: number
  readonly retry_delay_seconds: number
  readonly retry_max_delay_seconds: number
  /** A handler that takes longer counts as failed. */
  readonly expire_seconds: number
  /** Only carries the type of `data`. */
  readonly data?: T
}

/**
 * Deferred work. A job is added in the caller's transaction, so it exists exactly when the change does that asked for it, and is
 * worked on at least once: handlers that have an effect go through the exactly-once calls of shared/engine.
 */
export interface Jobs {
  /** Adds a job; null when `singleton_key` says that one waits already. */
  enqueue<T extends object>(tx: Tx, queue: Queue<T>, data: T, options?: EnqueueOptions): Promise<string | null>
  /** Adds jobs with one statement; those whose `singleton_key` waits already are left out. */
  enqueueMany<T extends object>(
    tx: Tx,
    queue: Queue<T>,
    data: readonly T[],
    options?: { singleton_key?: (item: T) => string },
  ): Promise<void>
  /** Works on a queue, outside any transaction; an error in the handler is a failed try. */
  work<T extends object>(
    queue: Queue<T>,
    handler: (job: Job<T>) => Promise<void>,
    options?: WorkOptions,
  ): Promise<Worker>
  /** Works on a queue inside one transaction that also completes the job: only for short SQL. */
  workInTransaction<T extends object>(queue: Queue<T>, handler: (tx: Tx, job: Job<T>) => Promise<void>): Promise<Worker>
  /** Adds a job by cron (UTC), once for the whole installation however many processes run. */
  schedule<T extends object>(queue: Queue<T>, cron: string, data: T): Promise<void>
  deadLetters(queue: Queue, options?: { limit?: number }): Promise<DeadLetter[]>
  /** Puts dead letters back into their queue; all of them without ids. */
  redrive(queue: Queue, ids?: readonly string[]): Promise<number>
  discard(queue: Queue, ids: readonly string[]): Promise<number>
  start(): Promise<void>
  /** Takes no more jobs, aborts and waits for those under way. */
  stop(): Promise<void>
}

export interface Worker {
  stop(): Promise<void>
}
