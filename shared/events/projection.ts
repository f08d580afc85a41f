import { type RawBuilder, sql } from 'kysely'
import type { Db, Tx } from '../db/index.ts'
import { eventErrors } from './errors.ts'
import { openBell } from './follow.ts'
import { listEvents } from './read.ts'
import { isSafe, lastPosition, type Mark, takeMark } from './safe-mark.ts'
import { formatPosition, START, type StoredEvent } from './stored-event.ts'

/** Names the table to write: the live one, or its twin while a rebuild runs beside it. */
export type TableOf = (table: string) => RawBuilder<unknown>

/** Tables computed from the log. Each has a twin `<table>_rebuild` of the same shape, made by the same migration. */
export interface Projection {
  /** `^[a-z][a-z0-9_]*$` */
  name: string
  tables: readonly [string, ...string[]]
  types: readonly string[]
  /** Folds events into the tables; SQL only, and a function of the events alone (no clock, no random), or a rebuild differs. */
  apply(tx: Tx, events: StoredEvent[], table: TableOf): Promise<void>
}

const registry = new Map<string, Projection>()

/** Declares a projection and makes it known to `rebuild_projection`. */
export function defineProjection(projection: Projection): Projection {
  registry.set(projection.name, projection)
  return projection
}

/** The projection of that name, or E0303 with the known names. */
export function projectionNamed(name: string): Projection {
  const found = registry.get(name)
  if (!found) throw eventErrors.unknownProjection({ name, known: projectionNames().join(', ') || 'none' })
  return found
}

/** Names of all declared projections. */
export function projectionNames(): string[] {
  return [...registry.keys()].sort()
}

const BATCH = 1000

/** The live tables of a projection. */
export const liveTable: TableOf = (table) => sql.table(table)

/** One writer per projection: the live runner and the swap of a rebuild wait for each other; ends with the transaction. */
export async function lockProjection(tx: Tx, name: string): Promise<string> {
  await sql`select pg_advisory_xact_lock(hashtextextended(${`projection:${name}`}, 0))`.execute(tx)
  const { rows } = await sql<{ position: string }>`
    select position::text from core.projections where name = ${name}`.execute(tx)
  return rows[0] ? formatPosition(rows[0].position) : START
}

/**
 * Applies what is new and safe, checkpoint and writes in one transaction, so a crash repeats and skips nothing. Returns true
 * when there may be more to do at once, false when it is level with the log, undefined while older writers are still open.
 */
async function step(
  db: Db,
  projection: Projection,
  pending: Mark | undefined,
): Promise<{ more: boolean; pending?: Mark }> {
  return db.tx({ kind: 'system', name: `projection.${projection.name}` }, async (tx) => {
    const at = await lockProjection(tx, projection.name)
    if (!pending && (await lastPosition(tx)) <= at) return { more: false }
    const mark = pending ?? (await takeMark(tx))
    if (!(await isSafe(tx, mark))) return { more: false, pending: mark }
    const { types } = projection
    const events = await listEvents(tx, { after: at, upTo: mark.position, types, limit: BATCH })
    if (events.length > 0) await projection.apply(tx, events, liveTable)
    const last = events.length < BATCH ? mark.position : (events.at(-1)?.position ?? mark.position)
    if (last > at) await saveCheckpoint(tx, projection.name, last)
    return { more: events.length === BATCH }
  })
}

async function saveCheckpoint(tx: Tx, name: string, position: string): Promise<void> {
  await sql`
    insert into core.projections as p (name, position, updated_at) values (${name}, ${position}::bigint, core.now())
    on conflict (name) do update set position = excluded.position, updated_at = excluded.updated_at`.execute(tx)
}

/** Applies everything that was in the log when called; waits for transactions open then, at most `waitMs`. */
export async function catchUpProjection(db: Db, projection: Projection, waitMs = 10_000): Promise<void> {
  const until = performance.now() + waitMs
  let pending: Mark | undefined
  for (;;) {
    const result = await step(db, projection, pending)
    pending = result.pending
    if (!result.more && !pending) return
    if (performance.now() > until) return
    if (pending) await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

/** Keeps a projection level with the log until `signal` aborts. Any number of processes may run it; one at a time applies. */
export async function runProjection(db: Db, projection: Projection, signal: AbortSignal): Promise<void> {
  const bell = await openBell(db, signal)
  let pending: Mark | undefined
  try {
    while (!signal.aborted) {
      const result = await step(db, projection, pending)
      pending = result.pending
      if (!result.more) await bell.wait()
    }
  } finally {
    await bell.close()
  }
}

/** The furthest checkpoint of any projection: a position that is safe to read up to without waiting for anyone. */
export async function projectedPosition(tx: Tx): Promise<string> {
  const { rows } = await sql<{ position: string }>`
    select coalesce(max(position), 0)::text as position from core.projections`.execute(tx)
  return formatPosition(rows[0]?.position ?? 0)
}

/** Every projection with its checkpoint and how many positions the log is ahead of it. */
export async function projectionLag(tx: Tx): Promise<{ name: string; position: string; behind: number }[]> {
  const last = BigInt(await lastPosition(tx))
  const { rows } = await sql<{ name: string; position: string }>`
    select name, position::text from core.projections order by name`.execute(tx)
  return rows.map(({ name, position }) => ({
    name,
    position: formatPosition(position),
    behind: Number(last - BigInt(position)),
  }))
}
