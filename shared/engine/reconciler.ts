import type { Config } from '../config/index.ts'
import type { Db } from '../db/index.ts'
import type { Jobs } from '../jobs/index.ts'
import type { Logger } from '../telemetry/index.ts'
import { leadership } from './leadership.ts'
import { leaseOwner } from './leases.ts'
import { nextRetryMs, reconcile, voidLeases } from './reconcile.ts'
import { runningCalls } from './running-calls.ts'
import { ENGINE_CHANNEL, readWake } from './wake.ts'

export interface ReconcilerOptions {
  db: Db
  boot_id: string
  config: Pick<Config, 'engine'>
  log: Pick<Logger, 'warn' | 'info'>
  /** With it, calls whose worker was lost are handed to the workers of CALLS_QUEUE. */
  jobs?: Jobs | undefined
}

export interface Reconciler {
  /** One round now, whoever leads; the number of things that were put right. */
  tick(): Promise<number>
  stop(): Promise<void>
}

/**
 * Puts right, every `reconcileMs` and in one process of all, what a lost notification or a dead worker left: expired leases, due
 * retries, ready tasks that nobody took, passed deadlines, plans that stopped in between. Losing every wake-up costs seconds and
 * no work. Embedded, the start voids the leases of older boots at once.
 */
export async function startReconciler(options: ReconcilerOptions): Promise<Reconciler> {
  const { db, boot_id, config, log } = options
  // The directory lock proves that every other boot of an embedded database is dead.
  if (db.mode === 'embedded') await voidOlderBoots(db, boot_id, log)
  const lead = leadership(db, 'engine.reconciler', leaseOwner(boot_id), config.engine.reconcileMs * 5)
  let timer: NodeJS.Timeout | undefined
  let stopped = false
  let round: Promise<void> = Promise.resolve()

  const later = (ms: number) => {
    if (stopped) return
    clearTimeout(timer)
    timer = setTimeout(() => {
      round = run()
    }, ms)
    timer.unref()
  }
  const run = async () => {
    let next = config.engine.reconcileMs
    try {
      if (await lead.take()) {
        await reconcile(db, options)
        next = Math.min(next, (await nextRetryMs(db)) ?? next)
      }
    } catch (error) {
      // The next round starts from the rows again, so nothing is lost by giving this one up.
      log.warn({ err: error }, 'a round of the reconciler failed')
    }
    later(next)
  }
  const unlisten = await db.listen(ENGINE_CHANNEL, (payload) => {
    const message = readWake(payload)
    if (message?.what === 'retry' && (message.in_ms ?? 0) < config.engine.reconcileMs) later(message.in_ms ?? 0)
    if (message?.what === 'cancel') for (const id of message.ids ?? []) runningCalls(db).get(id)?.abort('cancelled')
  })
  later(0)
  return {
    tick: () => reconcile(db, options),
    async stop() {
      stopped = true
      clearTimeout(timer)
      await unlisten()
      await round
      await lead.release()
    },
  }
}

/** Gives back the tasks and calls that processes other than this boot hold; only where those are known to be dead. */
export async function voidOlderBoots(db: Db, bootId: string, log?: ReconcilerOptions['log']): Promise<number> {
  return await voidLeases(db, leaseOwner(bootId), log)
}
