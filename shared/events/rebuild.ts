import { randomUUID } from 'node:crypto'
import { sql } from 'kysely'
import type { Tx } from '../db/index.ts'
import { eventErrors } from './errors.ts'
import { lockProjection, type Projection, type TableOf } from './projection.ts'
import { listEvents } from './read.ts'
import type { Run } from './safe-mark.ts'
import { START } from './stored-event.ts'

const BATCH = 1000

/** Where a rebuild writes until it is swapped in. */
const twinTable: TableOf = (table) => sql.table(`${table}_rebuild`)

/**
 * Rebuilds one tenant's part of a projection beside the live tables and swaps it in, in one transaction, exactly at the live
 * checkpoint: readers see the old rows or the new ones, never half. `run` opens transactions of that tenant. A second
 * rebuild replaces the first, which then throws E0304. Returns how many events were folded.
 */
export async function rebuildProjection(
  run: Run,
  projection: Projection,
  options: { signal?: AbortSignal; onProgress?: (events: number) => void } = {},
): Promise<{ events: number; position: string }> {
  const token = randomUUID()
  await run((tx) => begin(tx, projection, token))
  let at = START
  let events = 0
  for (;;) {
    options.signal?.throwIfAborted()
    const goal = await run((tx) => checkpoint(tx, projection.name))
    // The live runner moves on meanwhile; the last stretch is folded under the lock, so keep it short.
    const batch = await run((tx) => fold(tx, projection, token, at, goal))
    events += batch.count
    at = batch.at
    options.onProgress?.(events)
    if (batch.count < BATCH) break
  }
  const last = await run((tx) => swap(tx, projection, token, at))
  return { events: events + last.count, position: last.at }
}

async function begin(tx: Tx, projection: Projection, token: string): Promise<void> {
  await sql`
    insert into core.projection_rebuilds (tenant_id, name, token, started_at)
    values (current_setting('app.tenant', true), ${projection.name}, ${token}, core.now())
    on conflict (tenant_id, name) do update set token = excluded.token, started_at = excluded.started_at`.execute(tx)
  for (const table of projection.tables) await sql`delete from ${twinTable(table)}`.execute(tx)
}

/** Locks the rebuild's row, so that a replacing rebuild waits, and refuses when it was replaced already. */
async function holdToken(tx: Tx, name: string, token: string): Promise<void> {
  const { rows } = await sql<{ token: string }>`
    select token from core.projection_rebuilds where name = ${name} for update`.execute(tx)
  if (rows[0]?.token !== token) throw eventErrors.rebuildReplaced({ name })
}

async function checkpoint(tx: Tx, name: string): Promise<string> {
  const { rows } = await sql<{ position: string }>`
    select lpad(position::text, 20, '0') as position from core.projections where name = ${name}`.execute(tx)
  return rows[0]?.position ?? START
}

async function fold(tx: Tx, projection: Projection, token: string, after: string, upTo: string) {
  await holdToken(tx, projection.name, token)
  const batch = await listEvents(tx, { after, upTo, types: projection.types, limit: BATCH })
  if (batch.length > 0) await projection.apply(tx, batch, twinTable)
  return { count: batch.length, at: batch.length < BATCH ? upTo : (batch.at(-1)?.position ?? upTo) }
}

async function swap(tx: Tx, projection: Projection, token: string, from: string) {
  const upTo = await lockProjection(tx, projection.name)
  let at = from
  let count = 0
  for (;;) {
    const batch = await fold(tx, projection, token, at, upTo)
    count += batch.count
    at = batch.at
    if (batch.count < BATCH) break
  }
  for (const table of projection.tables) {
    await sql`delete from ${sql.table(table)}`.execute(tx)
    await sql`insert into ${sql.table(table)} select * from ${twinTable(table)}`.execute(tx)
    await sql`delete from ${twinTable(table)}`.execute(tx)
  }
  await sql`delete from core.projection_rebuilds where name = ${projection.name}`.execute(tx)
  return { count, at: upTo }
}
