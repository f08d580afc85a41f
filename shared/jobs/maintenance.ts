import { sql } from 'kysely'
import type { Db } from '../db/index.ts'
import type { Logger } from '../telemetry/index.ts'

/** Tables whose size changes by orders of magnitude within minutes: with old statistics the planner scans them whole. */
const HOT = [
  'pgboss.job_common',
  'core.tasks',
  'core.task_dependencies',
  'core.task_waits',
  'core.invocations',
  'core.events',
  'core.streams',
]
const EVERY_MS = 60_000

export interface Maintenance {
  /** Renews the statistics now. */
  now(): Promise<void>
  stop(): Promise<void>
}

/**
 * Keeps the planner's statistics fresh. PGlite has no autovacuum at all, so there hot tables are analysed every minute; on
 * PostgreSQL autovacuum does it, and only a bulk insert asks for it at once, because a first fetch from 100,000 new jobs planned
 * on the statistics of an empty table takes seconds instead of milliseconds.
 */
export function keepStatistics(db: Db, log: Pick<Logger, 'warn'>): Maintenance {
  let working: Promise<void> = Promise.resolve()
  const now = () => {
    working = working.then(() => analyse(db, log))
    return working
  }
  const timer = db.mode === 'embedded' ? setInterval(() => void now(), EVERY_MS) : undefined
  timer?.unref()
  return {
    now,
    async stop() {
      clearInterval(timer)
      await working
    },
  }
}

async function analyse(db: Db, log: Pick<Logger, 'warn'>): Promise<void> {
  for (const table of HOT) {
    try {
      await sql`analyze ${sql.table(table)}`.execute(db.raw)
    } catch (error) {
      // Statistics are a matter of speed only.
      log.warn({ err: error, table }, 'a table could not be analysed')
    }
  }
}
