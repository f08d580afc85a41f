import { sql } from 'kysely'
import type { Tx } from '../db/index.ts'
import { planAnewFor } from './statistics.ts'

export interface Edge {
  task_id: string
  depends_on_id: string
}

/**
 * Writes dependencies and the counters of who waits for how many, one statement each. `open` leaves out of the counters the
 * dependencies that have ended already.
 */
export async function writeEdges(
  tx: Tx,
  tenantId: string,
  planId: string,
  edges: readonly Edge[],
  open: (edge: Edge) => boolean = () => true,
): Promise<void> {
  if (edges.length === 0) return
  await planAnewFor(tx, edges.length)
  await sql`
    insert into core.task_dependencies (tenant_id, plan_id, task_id, depends_on_id)
    select ${tenantId}, ${planId}, e.task_id, e.depends_on_id
    from unnest(${edges.map((e) => e.task_id)}::text[], ${edges.map((e) => e.depends_on_id)}::text[])
      as e(task_id, depends_on_id)`.execute(tx)
  const waiting = edges.filter(open).map((e) => e.task_id)
  if (waiting.length === 0) return
  await sql`
    insert into core.task_waits (tenant_id, plan_id, task_id, pending)
    select ${tenantId}, ${planId}, w.task_id, count(*)::int from unnest(${waiting}::text[]) as w(task_id)
    group by w.task_id`.execute(tx)
}
