import { AsyncLocalStorage } from 'node:async_hooks'
import { errors } from '../errors/index.ts'

/** Follows the callback of a transaction; `open` turns false when it ends, so that work left behind is not held to it. */
interface Inside {
  open: boolean
}

const inside = new AsyncLocalStorage<Inside>()

/** True while the caller runs inside the callback of `Db.tx`. */
export function insideTransaction(): boolean {
  return inside.getStore()?.open === true
}

/** Throws E0016 inside a transaction: with one embedded connection, or an exhausted pool, waiting there is a deadlock. */
export function assertOutsideTransaction(what: string): void {
  if (insideTransaction()) throw errors.insideTransaction({ what })
}

/** Runs `fn` as the inside of a transaction. */
export async function runInside<T>(fn: () => Promise<T>): Promise<T> {
  const store: Inside = { open: true }
  try {
    return await inside.run(store, fn)
  } finally {
    store.open = false
  }
}
