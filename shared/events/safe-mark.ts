import { sql } from 'kysely'
import type { Tx } from '../db/index.ts'
import { formatPosition, START } from './stored-event.ts'

/** Runs one short transaction; `Db.tx` bound to a scope, or `ScopedDb.tx`. Read committed: each statement sees anew. */
export type Run = <T>(fn: (tx: Tx) => Promise<T>) => Promise<T>

/** A position that is safe once every transaction older than `barrier` has ended. */
export interface Mark {
  position: string
  barrier: string
}

/**
 * Step one of following the log: the last position drawn, and a transaction id above that of every transaction that drew one
 * up to it. The id is assigned by this very transaction: `pg_snapshot_xmax` is only one more than the newest *finished*
 * transaction, so it does not count a writer that is newer than all finished ones, and that writer's event would be lost.
 */
export async function takeMark(tx: Tx): Promise<Mark> {
  const position = await lastPosition(tx)
  const { rows } = await sql<{ barrier: string }>`select pg_current_xact_id()::text as barrier`.execute(tx)
  return { position, barrier: rows[0]?.barrier ?? '0' }
}

/** True once every event up to the mark's position is visible, or never will be. Ask in a statement after `takeMark`'s. */
export async function isSafe(tx: Tx, mark: Mark): Promise<boolean> {
  const { rows } = await sql<{ safe: boolean }>`
    select pg_snapshot_xmin(pg_current_snapshot()) >= ${mark.barrier}::xid8 as safe`.execute(tx)
  return rows[0]?.safe === true
}

/** The last position drawn by anyone, committed or not. */
export async function lastPosition(tx: Tx): Promise<string> {
  const { rows } = await sql<{ last: string }>`
    select (case when is_called then last_value else 0 end)::text as last from core.events_position`.execute(tx)
  return rows[0] ? formatPosition(rows[0].last) : START
}

/**
 * A position up to which the log is complete and will never change, at least the last one drawn when this was called.
 * Waits for transactions that were open then; after `waitMs` (or an abort) it gives up and returns undefined.
 */
export async function safePosition(run: Run, waitMs: number, signal?: AbortSignal): Promise<string | undefined> {
  const until = performance.now() + waitMs
  let { mark, safe } = await run(async (tx) => {
    const mark = await takeMark(tx)
    return { mark, safe: await isSafe(tx, mark) }
  })
  for (let pause = 1; !safe; pause = Math.min(pause * 2, 50)) {
    if (performance.now() + pause > until || signal?.aborted) return undefined
    await new Promise((resolve) => setTimeout(resolve, pause))
    safe = await run((tx) => isSafe(tx, mark))
  }
  return mark.position
}
