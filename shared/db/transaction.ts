import { setTimeout as sleep } from 'node:timers/promises'
import type { Kysely, Transaction } from 'kysely'
import pg from 'pg'
import { beginStatement } from './driver.ts'
import { assertOutsideTransaction, runInside } from './guard.ts'
import { newId } from './ids.ts'
import { isRetryable, translateDriverError } from './translate.ts'
import type { DbMode, Scope, Tables, Tx, TxOptions } from './types.ts'

export const ROLE = { tenant: 'story_portal_app', system: 'story_portal_system' } as const

export interface TransactionHost {
  readonly kysely: Kysely<Tables>
  readonly mode: DbMode
  vector(): boolean
  /** Milliseconds core.now() is ahead; tests move it. */
  timeOffset(): number
  reportHookError(error: unknown): void
  /** Every refusal, translated, on its way to the caller. */
  reportFailure(error: unknown): void
}

/** What the transaction leaves to be done after COMMIT. */
type Hook = () => void | Promise<void>

/** Runs `fn` in a transaction as `Db.tx` promises; see there. */
export async function runTransaction<T>(
  host: TransactionHost,
  scope: Scope,
  fn: (tx: Tx) => Promise<T>,
  options: TxOptions = {},
): Promise<T> {
  assertOutsideTransaction('Db.tx')
  const attempts = options.attempts ?? 5
  for (let attempt = 1; ; attempt++) {
    try {
      return await runOnce(host, scope, fn, options)
    } catch (error) {
      if (attempt >= attempts || !isRetryable(error)) {
        const translated = translateDriverError(error)
        host.reportFailure(translated)
        throw translated
      }
      // Full jitter, so that those who met do not meet again (10, 20, 40, 80 ms at most).
      await sleep(Math.random() * 10 * 2 ** (attempt - 1))
    }
  }
}

async function runOnce<T>(
  host: TransactionHost,
  scope: Scope,
  fn: (tx: Tx) => Promise<T>,
  options: TxOptions,
): Promise<T> {
  const after: Hook[] = []
  const begin = beginText(scope, options, host.timeOffset())
  const result = await beginStatement.run(begin, () =>
    host.kysely.transaction().execute((trx) => runInside(() => runBody(extend(trx, host, scope, after), fn))),
  )
  for (const hook of after) {
    try {
      await hook()
    } catch (error) {
      host.reportHookError(error)
    }
  }
  return result
}

const beforeCommit = new WeakMap<Tx, (() => Promise<void>)[]>()

async function runBody<T>(tx: Tx, fn: (tx: Tx) => Promise<T>): Promise<T> {
  const result = await fn(tx)
  const hooks = beforeCommit.get(tx) ?? []
  // A hook may add hooks.
  for (let hook = hooks.shift(); hook; hook = hooks.shift()) await hook()
  return result
}

function extend(trx: Transaction<Tables>, host: TransactionHost, scope: Scope, after: Hook[]): Tx {
  const before: (() => Promise<void>)[] = []
  const tx: Tx = Object.assign(trx, {
    scope,
    mode: host.mode,
    vector: host.vector(),
    beforeCommit: (hook: () => Promise<void>) => void before.push(hook),
    afterCommit: (hook: Hook) => void after.push(hook),
    newId,
    slots: new Map<symbol, unknown>(),
  })
  beforeCommit.set(tx, before)
  return tx
}

/** BEGIN, role and tenant in one round trip. Text, not parameters: the simple protocol takes several statements. */
function beginText(scope: Scope, options: TxOptions, offset: number): string {
  const isolation = options.isolation ?? 'read committed'
  const parts = [`begin isolation level ${isolation}${options.readOnly ? ' read only' : ''}`]
  const settings: string[] = []
  if (scope.kind === 'tenant') settings.push(`set_config('app.tenant', ${pg.escapeLiteral(scope.tenant_id)}, true)`)
  if (offset !== 0) settings.push(`set_config('app.time_offset', '${Math.round(offset)} milliseconds', true)`)
  if (settings.length > 0) parts.push(`select ${settings.join(', ')}`)
  if (scope.kind !== 'owner') parts.push(`set local role ${ROLE[scope.kind]}`)
  return parts.join('; ')
}
