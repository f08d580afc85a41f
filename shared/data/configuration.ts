import { sql } from 'kysely'
import type { Db, Tx } from '../db/index.ts'
import { errors, type Fault } from '../errors/index.ts'
import { assertStorable } from '../events/index.ts'
import type { RecordOf } from './define-kind.ts'
import { recordErrors } from './errors.ts'
import { compileSchema } from './json-schema.ts'
import { getRecord } from './read.ts'
import { createRecord, restoreRecord, updateRecord } from './write.ts'

/** LISTEN channel: `{"tenant_id": ..., "key": ..., "version": ...}` after each change, sent with its COMMIT. */
export const CONFIGURATION_CHANNEL = 'configuration'

export interface Setting {
  key: string
  value: unknown
  /** JSON Schema that this and every later value must fit; absent: the stored one stays. */
  schema?: Record<string, unknown> | undefined
  description?: string | undefined
  /** 0: must not exist yet. */
  expected_version?: number | undefined
  reason?: string | undefined
}

/** The configuration of that key, or undefined. */
export async function findConfiguration(tx: Tx, key: string): Promise<RecordOf<'configuration'> | undefined> {
  const id = await idOf(tx, key)
  const found = id?.deleted ? undefined : id
  return found && (await getRecord(tx, 'configuration', found.id))
}

/** Sets a configuration; its version counts the changes, its history shows who and why, listeners hear it at COMMIT. */
export async function setConfiguration(tx: Tx, setting: Setting): Promise<RecordOf<'configuration'>> {
  const { key, value, schema, description, reason } = setting
  assertStorable({ value, schema }, '')
  // Two first writers of a key meet here; without it the second would fail on the unique key instead of changing the first's.
  await sql`select pg_advisory_xact_lock(hashtextextended(current_setting('app.tenant', true) || ${` ${key}`}, 1))`.execute(
    tx,
  )
  const known = await idOf(tx, key)
  if (known?.deleted) await restoreRecord(tx, 'configuration', known.id)
  const before = known && (await getRecord(tx, 'configuration', known.id, { forUpdate: true }))
  check(key, value, schema ?? before?.schema ?? undefined)
  const changes = {
    value,
    ...(schema === undefined ? {} : { schema }),
    ...(description === undefined ? {} : { description }),
  }
  const expected_version = setting.expected_version
  if (!before && expected_version) throw stale(key, 0, expected_version)
  const after = before
    ? await updateRecord(tx, 'configuration', before.id, changes, { reason, expected_version })
    : await createRecord(tx, 'configuration', { key, ...changes }, { reason })
  const heard = JSON.stringify({ tenant_id: after.tenant_id, key, version: after.version })
  await sql`select pg_notify(${CONFIGURATION_CHANNEL}, ${heard})`.execute(tx)
  return after
}

function check(key: string, value: unknown, schema: unknown): void {
  if (value === null || value === undefined) {
    const faults = [{ path: 'value', message: 'must not be null' }]
    throw recordErrors.badConfiguration({ key, summary: 'value must not be null' }, { details: { faults } })
  }
  if (schema === undefined) return
  const faultsOf = compileSchema(schema)
  if (!faultsOf) {
    throw recordErrors.badSchema({ key }, { details: { faults: [{ path: 'schema', message: 'can not be compiled' }] } })
  }
  const faults: Fault[] = faultsOf(value)
  if (faults.length === 0) return
  const summary = faults.map((fault) => `${fault.path} ${fault.message}`).join('; ')
  throw recordErrors.badConfiguration({ key, summary }, { details: { faults } })
}

async function idOf(tx: Tx, key: string): Promise<{ id: string; deleted: boolean } | undefined> {
  const { rows } = await sql<{ id: string; deleted: boolean }>`
    select id, deleted_at is not null as deleted from core.configurations
    where tenant_id = current_setting('app.tenant', true) and key = ${key}`.execute(tx)
  return rows[0]
}

function stale(key: string, actual: number, expected: number) {
  const faults = [{ path: 'expected_version', message: `is ${expected}, the configuration is at ${actual}` }]
  return errors.versionConflict(
    { what: `The configuration ${key}`, actual, expected },
    { details: { actual, expected, faults } },
  )
}

/** A configuration's value as any part of the platform reads it at run time. */
export interface ConfigurationReader {
  /** The value, or `fallback` where none is set; read once, then again after each change. */
  get<T>(tenant_id: string, key: string, fallback: T): Promise<T>
  close(): Promise<void>
}

/** Keeps values read until they change, in this process or another: a change takes effect without a restart. */
export async function readConfigurations(db: Db, name: string): Promise<ConfigurationReader> {
  const kept = new Map<string, { value: unknown }>()
  const stop = await db.listen(CONFIGURATION_CHANNEL, (payload) => {
    const { tenant_id, key } = JSON.parse(payload) as { tenant_id: string; key: string }
    kept.delete(`${tenant_id} ${key}`)
  })
  return {
    async get<T>(tenant_id: string, key: string, fallback: T): Promise<T> {
      const at = `${tenant_id} ${key}`
      const known = kept.get(at)
      if (known) return known.value as T
      const scope = { kind: 'tenant', tenant_id, subject: `system:${name}` } as const
      const found = await db.tx(scope, (tx) => findConfiguration(tx, key), { readOnly: true })
      const value = found ? found.value : fallback
      if (kept.size >= 10_000) kept.clear()
      kept.set(at, { value })
      return value as T
    },
    close: stop,
  }
}
