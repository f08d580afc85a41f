import type { Db, Tx } from '../db/index.ts'
import { EVENTS_CHANNEL } from './append.ts'
import { listEvents } from './read.ts'
import { lastPosition, safePosition } from './safe-mark.ts'
import { START, type StoredEvent } from './stored-event.ts'

export interface FollowOptions {
  /** Names the worker in logs and as the database actor. */
  name: string
  /** Resume after this position; default: from the first event. */
  from?: string
  /** Types or patterns (`goal.*`); default: all. */
  types?: readonly string[]
  /** Gets events in log order, each exactly once. A throw ends the follower; resume after the last batch it finished. */
  onBatch(events: StoredEvent[], position: string): Promise<void>
  signal: AbortSignal
  batch?: number
}

/** Idle followers look this often even if no NOTIFY came: a wake-up is a hint, never a promise. */
const IDLE_MS = 500
/** A single slow writer holds the mark back; give up after this long and take a newer mark. */
const MARK_WAIT_MS = 10_000

/**
 * Follows the whole log, all tenants, until `signal` aborts: every event exactly once, in one order that respects every
 * stream's order, however long writers hold their transactions open. Resolves when aborted.
 */
export async function follow(db: Db, options: FollowOptions): Promise<void> {
  const { name, signal, types, batch = 500 } = options
  const run = <T>(fn: (tx: Tx) => Promise<T>): Promise<T> => db.tx({ kind: 'system', name }, fn)
  const bell = await openBell(db, signal)
  let at = options.from ?? START
  try {
    while (!signal.aborted) {
      const safe = (await run(lastPosition)) > at ? await safePosition(run, MARK_WAIT_MS, signal) : undefined
      if (safe === undefined || safe <= at) {
        await bell.wait()
        continue
      }
      bell.reset()
      at = await drain(safe)
    }
  } finally {
    await bell.close()
  }

  async function drain(upTo: string): Promise<string> {
    let after = at
    while (!signal.aborted) {
      const events = await run((tx) => listEvents(tx, { after, upTo, types, limit: batch }))
      const last = events.length < batch ? upTo : (events.at(-1)?.position ?? upTo)
      if (events.length > 0) await options.onBatch(events, last)
      after = last
      if (events.length < batch) return upTo
    }
    return after
  }
}

/** Wakes on NOTIFY; otherwise waits 5, 10, 20 ... ms up to IDLE_MS, because NOTIFY is thinned out by the writers. */
export async function openBell(db: Db, signal: AbortSignal) {
  let pause = 5
  let ring = () => {}
  const stopListening = await db.listen(EVENTS_CHANNEL, () => {
    pause = 5
    ring()
  })
  const onAbort = () => ring()
  signal.addEventListener('abort', onAbort)
  return {
    reset() {
      pause = 5
    },
    async wait(): Promise<void> {
      if (signal.aborted) return
      const { promise, resolve } = Promise.withResolvers<void>()
      ring = resolve
      const timer = setTimeout(resolve, pause)
      pause = Math.min(pause * 2, IDLE_MS)
      await promise
      clearTimeout(timer)
    },
    async close(): Promise<void> {
      signal.removeEventListener('abort', onAbort)
      await stopListening()
    },
  }
}
