import { randomBytes } from 'node:crypto'
import { rm } from 'node:fs/promises'
import type { Config } from '../config/index.ts'
import { type Db, newId, openDatabase, type TenantScope } from '../db/index.ts'
import { embeddedSnapshot, emptySnapshot } from './embedded-snapshot.ts'
import { cloneTemplate, createDatabase, type OwnDatabase } from './postgres-template.ts'
import { silentLog, testConfig } from './test-config.ts'

export { silentLog, testConfig }

/** A migrated database of its own, closed and removed by `close`. */
export interface TestDatabase extends Db {
  readonly config: Config
  /** Moves core.now() ahead, for all transactions of this Db that begin later; leases and retries then come due without waiting. */
  advance(ms: number): void
}

/**
 * A fresh migrated database: on the PostgreSQL of TEST_DATABASE_URL (a superuser's) a clone of a template, else PGlite in its
 * thread, in memory, restored from a snapshot. `env` overrides settings, for example STORY_PORTAL_LEASE_MS.
 */
export async function testDatabase(env: Record<string, string> = {}): Promise<TestDatabase> {
  const server = process.env['TEST_DATABASE_URL']
  if (server) return open(env, await cloneTemplate(server, freshName()))
  return open(env, undefined, await embeddedSnapshot())
}

/** A database without anything in it, for tests of migrations. */
export async function emptyDatabase(env: Record<string, string> = {}): Promise<TestDatabase> {
  const server = process.env['TEST_DATABASE_URL']
  if (server) return open(env, await createDatabase(server, freshName()))
  return open(env, undefined, await emptySnapshot())
}

const freshName = () => `sp_test_${randomBytes(6).toString('hex')}`

async function open(env: Record<string, string>, own?: OwnDatabase, snapshot?: string): Promise<TestDatabase> {
  const config = testConfig({ ...(own ? { DATABASE_URL: own.url } : {}), ...env })
  let offset = 0
  const db = await openDatabase(config, {
    log: silentLog,
    timeOffset: () => offset,
    ...(own ? {} : { memory: true, snapshot }),
  })
  return Object.assign(db, {
    config,
    advance(ms: number) {
      offset += ms
    },
    close: closer(db, async () => {
      await own?.drop()
      await rm(config.home, { recursive: true, force: true })
    }),
  })
}

function closer(db: Db, afterwards: () => Promise<void>): () => Promise<void> {
  const close = db.close.bind(db)
  let closing: Promise<void> | undefined
  return () => {
    closing ??= close().then(afterwards)
    return closing
  }
}

/** A tenant nobody else uses: tests of one database do not see each other's rows. */
export function testTenant(subject = 'user:test'): TenantScope {
  return { kind: 'tenant', tenant_id: newId('t'), subject, source: 'story-portal/test' }
}
