import { sql } from 'kysely'
import {
  type Db as BossDb,
  type ConstructorOptions,
  fromKysely,
  getConstructionPlans,
  getMigrationPlans,
  PgBoss,
} from 'pg-boss'
import type { Db, Tx } from '../db/index.ts'
import { deadLetterName } from './queues.ts'
import type { Queue } from './types.ts'

export const SCHEMA = 'pgboss'

/** A job whose process gives no sign for this long is given back; its handler may take as long as the queue allows. */
export const HEARTBEAT_SECONDS = 60

/** A pg-boss over our own driver: it opens no connection and makes no schema of its own. */
export function bossOn(db: Db, options: Pick<ConstructorOptions, 'schedule' | 'supervise'>): PgBoss {
  return new PgBoss({
    db: outside(db),
    schema: SCHEMA,
    backend: db.mode === 'embedded' ? 'pglite' : 'postgres',
    migrate: false,
    createSchema: false,
    // Embedded there is one session; what PostgreSQL's autovacuum does is our maintenance's work there.
    reindex: false,
    monitorVacuum: db.mode !== 'embedded',
    cronWorkerIntervalSeconds: 15,
    ...options,
  })
}

/** Statements of pg-boss inside the caller's transaction. */
export function inside(tx: Tx): BossDb {
  return fromKysely(tx)
}

function outside(db: Db): BossDb {
  return fromKysely(db.raw)
}

/**
 * The SQL that brings pg-boss's schema to the installed version, for a migration: without its own BEGIN and COMMIT, because the
 * migration is one transaction. An upgrade of pg-boss ships a migration that runs this again.
 */
export function bossSchemaSql(installed?: number): string {
  const plan = installed === undefined ? getConstructionPlans(SCHEMA) : getMigrationPlans(SCHEMA, installed)
  return plan
    .replace(/^\s*BEGIN;\s*$/m, '')
    .replace(/^\s*COMMIT;\s*$/m, '')
    .replace(/^\s*SET LOCAL .*;\s*$/gm, '')
}

/** Gives back what a dead process had taken; only where no other process can be alive, as in an embedded database. */
export async function giveBackTaken(db: Db): Promise<void> {
  await sql`update pgboss.job set state = 'retry', start_after = now() where state = 'active'`.execute(db.raw)
}

/** Makes the queue and its dead letters, or brings their settings to what the code says. */
export async function ensureQueue(boss: PgBoss, queue: Queue): Promise<void> {
  const dead = deadLetterName(queue)
  const settings = {
    retryLimit: queue.retry_limit,
    retryDelay: queue.retry_delay_seconds,
    ...(queue.retry_delay_seconds > 0 ? { retryBackoff: true, retryDelayMax: queue.retry_max_delay_seconds } : {}),
    expireInSeconds: queue.expire_seconds,
    heartbeatSeconds: HEARTBEAT_SECONDS,
    deadLetter: dead,
  }
  if (!(await boss.getQueue(dead))) await boss.createQueue(dead, { retentionSeconds: 30 * 86_400 })
  if (await boss.getQueue(queue.name)) await boss.updateQueue(queue.name, settings)
  // `short`: one waiting job per singleton key; every job without one gets a key of its own.
  else await boss.createQueue(queue.name, { policy: 'short', ...settings })
}
