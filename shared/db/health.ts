import { type Kysely, sql } from 'kysely'
import { appliedMigrations } from './migrate.ts'
import { migrationNames } from './migrations.ts'
import type { DbHealth, DbMode, Tables } from './types.ts'

export interface ProbeSource {
  pool(): DbHealth['pool']
  /** True while the database is known to work on something: then the last answer stands. */
  busy(): boolean
}

const PATIENCE_MS = 3000
const lastSeen = new WeakMap<Kysely<Tables>, DbHealth>()

/** Asks the database how it is; an unreachable one is an answer, not an exception. */
export async function probe(db: Kysely<Tables>, mode: DbMode, source: ProbeSource): Promise<DbHealth> {
  const last = lastSeen.get(db)
  if (last?.ok && source.busy()) return { ...last, pool: source.pool() }
  const started = performance.now()
  const health = await Promise.race([ask(db, mode).catch(() => undefined), afterPatience()])
  const latency_ms = Math.round((performance.now() - started) * 100) / 100
  const answer: DbHealth = health
    ? { ...health, latency_ms, pool: source.pool() }
    : {
        ok: false,
        mode,
        server_version: last?.server_version ?? '',
        pgvector: last?.pgvector ?? null,
        latency_ms,
        pool: source.pool(),
        migrations: last?.migrations ?? { applied: 0, pending: migrationNames() },
      }
  if (answer.ok) lastSeen.set(db, answer)
  return answer
}

function afterPatience(): Promise<undefined> {
  return new Promise((resolve) => setTimeout(() => resolve(undefined), PATIENCE_MS).unref())
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
