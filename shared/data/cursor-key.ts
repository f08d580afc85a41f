import { sql } from 'kysely'
import type { Tx } from '../db/index.ts'

/**
 * The key that cursors of this installation are signed with: derived inside the database from the installation's secret, so
 * any process of any host accepts any other's cursors and none of them can read the secret itself.
 */
export async function cursorKey(tx: Tx): Promise<Uint8Array> {
  const { rows } = await sql<{ key: Uint8Array }>`select core.installation_key('cursor') as key`.execute(tx)
  if (!rows[0]) throw new Error('core.installation has no row')
  return rows[0].key
}
