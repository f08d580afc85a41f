import { notify, type Tx } from '../db/index.ts'

/** NOTIFY channel of the engine. A hint: rows decide, and the reconciler repeats what got lost. */
export const ENGINE_CHANNEL = 'engine'

/**
 * `tasks`: something may be claimable; `retry`: it will be in `in_ms`; `plan`: a plan changed its status; `cancel`: the
 * invocations in `ids` were cancelled, so whoever dispatches them may stop.
 */
export interface Wake {
  what: 'tasks' | 'retry' | 'plan' | 'cancel'
  tenant_id: string
  plan_id?: string
  in_ms?: number
  ids?: string[]
}

/** Wakes the workers after this transaction commits. */
export async function wake(tx: Tx, message: Wake): Promise<void> {
  await notify(tx, ENGINE_CHANNEL, JSON.stringify(message))
}

/** Reads a payload; undefined for anything that is not ours. */
export function readWake(payload: string): Wake | undefined {
  try {
    return JSON.parse(payload) as Wake
  } catch {
    // Any database user may notify: a strange payload wakes nobody.
    return undefined
  }
}
