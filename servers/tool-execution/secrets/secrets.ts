import type { Config } from '@story-portal/shared/config'
import type { Tx } from '@story-portal/shared/db'
import { errors } from '@story-portal/shared/errors'
import { recordEvent } from '@story-portal/shared/events'
import { sql } from 'kysely'
import { faults } from '../errors.ts'
import { seal, unseal } from './seal.ts'
import { secretKeyOf } from './secret-key.ts'

export interface SecretInfo {
  name: string
  /** Where code may send it in a header; empty: nowhere, only the platform itself uses it. */
  hosts: string[]
  updated_by: string
  updated_at: string
}

export interface Secret {
  value: string
  hosts: string[]
}

/** Keeps a value under a name, in the place of an older one. Its event has no value. */
export async function setSecret(
  tx: Tx,
  config: Config,
  { name, value, hosts = [] }: { name: string; value: string; hosts?: readonly string[] },
): Promise<SecretInfo> {
  const key = secretKeyOf(config)
  const { tenant_id, subject } = tenantOf(tx)
  const sealed = seal(key, value, `${tenant_id}/${name}`)
  const { rows } = await sql<SecretInfo>`
    insert into core.secrets (tenant_id, name, hosts, key_id, sealed, updated_by)
    values (${tenant_id}, ${name}, ${hosts}::text[], ${key.id}, ${sealed}, ${subject})
    on conflict (tenant_id, name) do update set hosts = excluded.hosts, key_id = excluded.key_id, sealed = excluded.sealed,
      updated_by = excluded.updated_by, updated_at = core.now()
    returning name, hosts, updated_by, updated_at`.execute(tx)
  const info = rows[0] as SecretInfo
  recordEvent(tx, { stream: `secret/${name}`, type: 'secret.set', data: { name, hosts: info.hosts } })
  return info
}

/** What there is, by name, never a value. */
export async function listSecrets(tx: Tx): Promise<SecretInfo[]> {
  const { rows } = await sql<SecretInfo>`
    select name, hosts, updated_by, updated_at from core.secrets order by name limit ${MAX_SECRETS}`.execute(tx)
  return rows
}

const MAX_SECRETS = 1_000

/** Forgets a value, with its sealed form. Throws NOT_FOUND when there is none. */
export async function deleteSecret(tx: Tx, name: string): Promise<void> {
  const { rows } = await sql`delete from core.secrets where name = ${name} returning name`.execute(tx)
  if (rows.length === 0)
    throw errors.notFound({ kind: 'secret', id: name }, { hint: 'list_secrets shows what there is.' })
  recordEvent(tx, { stream: `secret/${name}`, type: 'secret.deleted', data: { name } })
}

/** Forgets all whose names begin so. */
export async function deleteSecretsOf(tx: Tx, prefix: string): Promise<void> {
  const { rows } = await sql<{ name: string }>`
    delete from core.secrets where starts_with(name, ${prefix}) returning name`.execute(tx)
  for (const { name } of rows) recordEvent(tx, { stream: `secret/${name}`, type: 'secret.deleted', data: { name } })
}

/** A value, for a use that never shows it. Throws NOT_FOUND, or E3052 when it was sealed with another key than this installation's. */
export async function readSecret(tx: Tx, config: Config, name: string): Promise<Secret> {
  const { rows } = await sql<{ hosts: string[]; key_id: string; sealed: string }>`
    select hosts, key_id, sealed from core.secrets where name = ${name}`.execute(tx)
  const [row] = rows
  if (!row)
    throw errors.notFound(
      { kind: 'secret', id: name },
      { hint: 'set_secret adds it; list_secrets shows what there is.' },
    )
  const key = secretKeyOf(config)
  if (row.key_id !== key.id) throw faults.otherSecretKey({ name })
  try {
    return { value: unseal(key, row.sealed, `${tenantOf(tx).tenant_id}/${name}`), hosts: row.hosts }
  } catch (cause) {
    throw faults.otherSecretKey({ name }, { cause })
  }
}

function tenantOf({ scope }: Tx): { tenant_id: string; subject: string } {
  if (scope.kind !== 'tenant') throw new Error('secrets belong to a tenant')
  return { tenant_id: scope.tenant_id, subject: scope.subject ?? 'system' }
}
