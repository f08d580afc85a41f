import type { Db } from '../db/index.ts'

const byDb = new WeakMap<Db, Map<string, AbortController>>()
const waitersByDb = new WeakMap<Db, Map<string, Set<() => void>>>()

/** The calls that this process dispatches now, by invocation id, so that a cancellation reaches them at once. */
export function runningCalls(db: Db): Map<string, AbortController> {
  let calls = byDb.get(db)
  if (!calls) {
    calls = new Map()
    byDb.set(db, calls)
  }
  return calls
}

/** Wakes those in this process who wait for the invocation; others notice at their next look. */
export function wakeWaiters(db: Db, invocationId: string): void {
  for (const wake of waitersByDb.get(db)?.get(invocationId) ?? []) wake()
}

/** Resolves when the invocation ends in this process, when `ms` have passed or when `signal` is aborted. */
export async function waitForCall(db: Db, invocationId: string, ms: number, signal?: AbortSignal): Promise<void> {
  const waiters = waitersByDb.get(db) ?? new Map<string, Set<() => void>>()
  waitersByDb.set(db, waiters)
  const mine = waiters.get(invocationId) ?? new Set()
  waiters.set(invocationId, mine)
  await new Promise<void>((resolve) => {
    const wake = () => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', wake)
      mine.delete(wake)
      if (mine.size === 0) waiters.delete(invocationId)
      resolve()
    }
    const timer = setTimeout(wake, ms)
    mine.add(wake)
    if (signal?.aborted) wake()
    else signal?.addEventListener('abort', wake, { once: true })
  })
}
