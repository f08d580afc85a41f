import { hkdfSync } from 'node:crypto'
import { sql } from 'kysely'
import type { Db } from './types.ts'

const KEY_BYTES = 32
const secrets = new WeakMap<Db, Promise<Uint8Array>>()

/** A key of this installation for one purpose (cursor signatures, ...): the same in every process, never leaves the database otherwise. */
export async function installationKey(db: Db, purpose: string): Promise<Buffer> {
  let secret = secrets.get(db)
  if (!secret) {
    secret = readSecret(db)
    secrets.set(db, secret)
    secret.catch(() => secrets.delete(db))
  }
  return Buffer.from(hkdfSync('sha256', await secret, 'story-portal', purpose, KEY_BYTES))
}

async function readSecret(db: Db): Promise<Uint8Array> {
  const { rows } = await db.tx({ kind: 'system', name: 'installation' }, (tx) =>
    sql<{ secret: Uint8Array }>`select secret from core.installation`.execute(tx),
  )
  const secret = rows[0]?.secret
  if (!secret) throw new Error('core.installation is empty')
  return secret
}
