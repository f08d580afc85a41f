import { randomBytes } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { type Db, migrate, newId, openDatabase, type TenantScope } from '@story-portal/shared/db'
import { Pool } from 'pg'
import { silentLog, testConfig } from '../../shared/testing/test-config.ts'
import type { BenchmarkContext } from './benchmark.ts'

export interface BenchDatabase {
  db: Db
  scope: TenantScope
  /** URL of another, empty database on the same PostgreSQL, for the peer. */
  emptyDatabase(): Promise<string>
}

/** A migrated database of its own: on the run's PostgreSQL, or embedded on disk as a home has it. Removed with the run. */
export async function benchDatabase(
  context: BenchmarkContext,
  mode: 'postgres' | 'embedded',
  settings: Record<string, string> = {},
): Promise<BenchDatabase> {
  const emptyDatabase = async () => freshDatabase(await context.postgres())
  const url = mode === 'postgres' ? { DATABASE_URL: await emptyDatabase() } : {}
  const config = testConfig({ ...url, ...settings })
  const db = await openDatabase(config, { log: silentLog })
  context.defer(async () => {
    await db.close()
    await rm(config.home, { recursive: true, force: true })
  })
  await migrate(db)
  return { db, scope: { kind: 'tenant', tenant_id: newId('t'), subject: 'user:bench', source: 'bench' }, emptyDatabase }
}

async function freshDatabase(server: string): Promise<string> {
  const pool = new Pool({ connectionString: server, max: 1 })
  const name = `bench_${randomBytes(4).toString('hex')}`
  try {
    await pool.query(`create database ${name}`)
  } finally {
    await pool.end()
  }
  return Object.assign(new URL(server), { pathname: `/${name}` }).href
}
