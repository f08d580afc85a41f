import type { CompiledQuery, Kysely, Transaction } from 'kysely'

/**
 * Every table, keyed by its qualified name (`core.goals`, `planning.templates`). The owner of a table adds it by declaration
 * merging: `declare module '@story-portal/shared/db' { interface Tables { 'planning.templates': TemplateTable } }`.
 */
// biome-ignore lint/suspicious/noEmptyInterface: filled by declaration merging
export interface Tables {}

/** On whose behalf a transaction runs; row-level security shows it that tenant's rows only. */
export interface TenantScope {
  kind: 'tenant'
  tenant_id: string
  /** Who is written into `created_by` and into each event's `actor`. */
  subject: string
  correlation_id?: string
  causation_id?: string
  traceparent?: string
  /** `story-portal/<server>`, written into each event's `source`. */
  source?: string
}

/** Reconciler, followers, maintenance: sees every tenant. Never derived from a request. */
export interface SystemScope {
  kind: 'system'
  /** Names the worker, for example `runtime.executor`; becomes the actor `system:<name>`. */
  name: string
}

/** Migrations only: the owner role, no row-level security role switch. */
export interface OwnerScope {
  kind: 'owner'
}

export type Scope = TenantScope | SystemScope | OwnerScope

export interface TxOptions {
  readOnly?: boolean
  isolation?: 'read committed' | 'repeatable read' | 'serializable'
  /** Tries in all for serialization failures and deadlocks; default 5, with jitter. */
  attempts?: number
}

/**
 * One open transaction: a kysely handle plus what the transaction carries. `pg`, the pool and other transactions can't be
 * reached from inside (I8): `Db.tx`, `ctx.call` and outbound HTTP throw E0016 there.
 */
export interface TxExtras {
  readonly scope: Scope
  readonly mode: DbMode
  readonly vector: boolean
  /** Runs before COMMIT, in the order added, and may use the transaction. */
  beforeCommit(hook: () => Promise<void>): void
  /**
   * The transaction's one last statement, asked for after all hooks and sent in one round trip with COMMIT (the event log's).
   * Nobody reads its rows: it must raise an error where it can't do all of its work.
   */
  withCommit(last: () => CompiledQuery | undefined): void
  /** Runs after a successful COMMIT, outside the transaction; an error in it is logged, not thrown. */
  afterCommit(hook: () => void | Promise<void>): void
  /** A fresh id such as `gol_01jd...`: prefix, underscore, 26 lower-case characters that sort by time. */
  newId(prefix: string): string
  /** Free storage for the modules above (pending events); lives and dies with the transaction. */
  readonly slots: Map<symbol, unknown>
}

export type Tx = Transaction<Tables> & TxExtras

export type DbMode = 'embedded' | 'postgres'

export interface DbHealth {
  ok: boolean
  /** Why not ok, in our words; absent when ok. */
  reason?: string
  mode: DbMode
  /** For example `18.6` or `15.18`. */
  server_version: string
  pgvector: string | null
  latency_ms: number
  pool: { size: number; idle: number; waiting: number }
  /** Applied migrations and those still missing, by name. */
  migrations: { applied: number; pending: string[] }
}

/** The database of one process. */
export interface Db {
  readonly mode: DbMode
  readonly vector: boolean
  /**
   * Runs `fn` in one transaction under the scope's role and tenant, commits, returns its result. Serialization failures and
   * deadlocks are retried with jitter, so `fn` must touch nothing but its `tx`. Driver errors come out translated.
   */
  tx<T>(scope: Scope, fn: (tx: Tx) => Promise<T>, options?: TxOptions): Promise<T>
  /** Transactional NOTIFY is `notify(tx, channel, payload)`; this is the receiving end. Delivery is a hint, never a promise. */
  listen(channel: string, handler: (payload: string) => void): Promise<() => Promise<void>>
  /** Raw kysely without transaction, role or tenant: health probes and pg-boss only. */
  readonly raw: Kysely<Tables>
  health(): Promise<DbHealth>
  close(): Promise<void>
}

/** `Db` bound to one caller's scope: what a tool's `ctx.db` is. */
export interface ScopedDb {
  readonly mode: DbMode
  readonly vector: boolean
  tx<T>(fn: (tx: Tx) => Promise<T>, options?: TxOptions): Promise<T>
  read<T>(fn: (tx: Tx) => Promise<T>): Promise<T>
}
