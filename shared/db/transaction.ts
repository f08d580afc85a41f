import { setTimeout as sleep } from 'node:timers/promises'
import type { CompiledQuery, Kysely, Transaction } from 'kysely'
import pg from 'pg'
import { type TransactionStatements, transactionStatements } from './driver.ts'
import { assertOutsideTransaction, runInside } from './guard.ts'
import { newId } from './ids.ts'
import { forgetPrepared } from './prepared.ts'
import { isOutdatedPlan, isRetryable, translateDriverError } from './translate.ts'
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
      if (isOutdatedPlan(error)) forgetPrepared()
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
  const statements: TransactionStatements = { begin: beginText(scope, options, host.timeOffset()) }
  const result = await transactionStatements.run(statements, () =>
    host.kysely
      .transaction()
      .execute((trx) => runInside(() => runBody(extend(trx, host, scope, after), fn, statements))),
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

interface Ending {
  hooks: (() => Promise<void>)[]
  last?: () => CompiledQuery | undefined
}

const endings = new WeakMap<Tx, Ending>()

async function runBody<T>(tx: Tx, fn: (tx: Tx) => Promise<T>, statements: TransactionStatements): Promise<T> {
  const result = await fn(tx)
  const ending = endings.get(tx)
  // A hook may add hooks.
  for (let hook = ending?.hooks.shift(); hook; hook = ending?.hooks.shift()) await hook()
  statements.last = ending?.last?.()
  return result
}

function extend(trx: Transaction<Tables>, host: TransactionHost, scope: Scope, after: Hook[]): Tx {
  const ending: Ending = { hooks: [] }
  const tx: Tx = Object.assign(trx, {
    scope,
    mode: host.mode,
    vector: host.vector(),
    beforeCommit: (hook: () => Promise<void>) => void ending.hooks.push(hook),
    withCommit(last: () => CompiledQuery | undefined) {
      ending.last = last
    },
    afterCommit: (hook: Hook) => void after.push(hook),
    newId,
    slots: new Map<symbol, unknown>(),
  })
  endings.set(tx, ending)
  return tx
}

/** BEGIN, role and tenant in one round trip. Text, not parameters: the simple protocol takes several statements. */
function beginText(scope: Scope, options: TxOptions, offset: number): string {
  const isolation = options.isolation ?? 'read committed'
  const parts = [`begin isolation level ${isolation}${options.readOnly ? ' read only' : ''}`]
  const settings: string[] = []
  // It would cut the text short; what is sent behind a BEGIN that was not understood would run without it.
  if (scope.kind === 'tenant' && scope.tenant_id.includes('\0')) throw new RangeError('a tenant id holds U+0000')
  if (scope.kind === 'tenant') settings.push(`set_config('app.tenant', ${pg.escapeLiteral(scope.tenant_id)}, true)`)
  if (offset !== 0) settings.push(`set_config('app.time_offset', '${Math.round(offset)} milliseconds', true)`)
  // As a setting it needs no statement of its own.
  if (scope.kind !== 'owner') settings.push(`set_config('role', '${ROLE[scope.kind]}', true)`)
  if (settings.length > 0) parts.push(`select ${settings.join(', ')}`)
  return parts.join('; ')
}
