import { sql } from 'kysely'
import type { Tx } from '../db/index.ts'
import { readStream, tenantOf } from './read.ts'
import { storableJson } from './storable.ts'
import type { StoredEvent } from './stored-event.ts'

export interface Fold<S> {
  /** Names the snapshot; change it when `apply` or the state's shape changes, and old snapshots are never read again. */
  name: string
  initial: S
  /** Pure; the state must be JSON. */
  apply(state: S, event: StoredEvent): S
  /** Store a snapshot when at least this many events were folded since the last; default 100. */
  every?: number
}

/**
 * State of a stream, folded from its newest snapshot on. Snapshots are a cache: deleting all of them changes no answer, only
 * how many events are read.
 */
export async function foldStream<S>(
  tx: Tx,
  stream: string,
  fold: Fold<S>,
): Promise<{ state: S; version: number; read: number }> {
  const tenant = tenantOf(tx)
  const { rows } = await sql<{ version: number; state: { value: S } }>`
    select version, state from core.snapshots
    where tenant_id = ${tenant} and stream = ${stream} and name = ${fold.name}`.execute(tx)
  let { state, version } = rows[0]
    ? { state: rows[0].state.value, version: rows[0].version }
    : { state: fold.initial, version: 0 }
  let read = 0
  for (;;) {
    const events = await readStream(tx, stream, { after_version: version, limit: 1000 })
    for (const event of events) state = fold.apply(state, event)
    version = events.at(-1)?.version ?? version
    read += events.length
    if (events.length < 1000) break
  }
  if (read >= (fold.every ?? 100)) await keep(tx, tenant, stream, fold.name, version, state)
  return { state, version, read }
}

async function keep(
  tx: Tx,
  tenant: string,
  stream: string,
  name: string,
  version: number,
  state: unknown,
): Promise<void> {
  const value = storableJson({ value: state })
  await sql`
    insert into core.snapshots as s (tenant_id, stream, name, version, state)
    values (${tenant}, ${stream}, ${name}, ${version}, ${value}::jsonb)
    on conflict (tenant_id, stream, name) do update set version = excluded.version, state = excluded.state
    where s.version < excluded.version`.execute(tx)
}
