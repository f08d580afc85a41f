import { type Kysely, sql } from 'kysely'
import { isStoryPortalError } from '../errors/index.ts'
import { appliedMigrations } from './applied-migrations.ts'
import { dbErrors } from './errors.ts'
import { migrationNames } from './migrations.ts'
import { translateDriverError } from './translate.ts'
import type { DbHealth, DbMode, Tables } from './types.ts'

export interface ProbeSource {
  pool(): DbHealth['pool']
  /** True while the database is known to work on something: then the last answer stands. */
  busy(): boolean
  /** True while writes were refused for want of space a moment ago: reading still works then. */
  diskFull(): boolean
}

const PATIENCE_MS = 3000
const lastSeen = new WeakMap<Kysely<Tables>, DbHealth>()

/** Asks the database how it is; an unreachable one is an answer, not an exception. */
export async function probe(db: Kysely<Tables>, mode: DbMode, source: ProbeSource): Promise<DbHealth> {
  const last = lastSeen.get(db)
  if (last?.ok && source.busy() && !source.diskFull()) return { ...last, pool: source.pool() }
  const started = performance.now()
  const asked = await Promise.race([ask(db, mode).catch(whyNot), afterPatience()])
  const measured = { latency_ms: Math.round((performance.now() - started) * 100) / 100, pool: source.pool() }
  if (typeof asked === 'string') return { ...(last ?? unseen(mode)), ...measured, ok: false, reason: asked }
  const answer: DbHealth = { ...asked, ...measured }
  lastSeen.set(db, answer)
  return source.diskFull() ? { ...answer, ok: false, reason: dbErrors.diskFull().message } : answer
}

function unseen(mode: DbMode): Omit<DbHealth, 'latency_ms' | 'pool'> {
  return { ok: false, mode, server_version: '', pgvector: null, migrations: { applied: 0, pending: migrationNames() } }
}

function whyNot(error: unknown): string {
  const known = translateDriverError(error)
  return isStoryPortalError(known) ? known.message : dbErrors.unreachable().message
}

function afterPatience(): Promise<string> {
  const { message } = dbErrors.unreachable()
  return new Promise((resolve) => setTimeout(() => resolve(message), PATIENCE_MS).unref())
}

async function ask(db: Kysely<Tables>, mode: DbMode): Promise<Omit<DbHealth, 'latency_ms' | 'pool'>> {
  const server = await sql<{ version: string; pgvector: string | null }>`
    select current_setting('server_version') as version,
      (select extversion from pg_extension where extname = 'vector') as pgvector`.execute(db)
  const applied = await appliedMigrations(db)
  const known = migrationNames()
  return {
    ok: true,
    mode,
    server_version: server.rows[0]?.version.split(' ')[0] ?? '',
    pgvector: server.rows[0]?.pgvector ?? null,
    migrations: { applied: applied.length, pending: known.filter((name) => !applied.includes(name)) },
  }
}
