import { sql } from 'kysely'
import type { Tx } from '../db/index.ts'
import { DEFAULT_ESTIMATE_MS, type TaskKind } from './definition.ts'
import type { PlanView } from './types.ts'

export interface PlanEstimates {
  /** The longest chain of tasks, when nothing waits for a worker. */
  critical_path_ms: number
  /** What of that chain is still to be done. */
  remaining_ms: number
  /** How many tasks of the chain are estimated by what tasks of their kind took in this plan, and not by a default. */
  measured: number
}

interface ChainTask {
  kind: TaskKind
  status: string
  estimate_ms: number | null
  took_ms: number | null
}

const ENDED = ['completed', 'failed', 'skipped', 'cancelled']

/** How long a plan's critical path takes: the client's `estimate_ms`, else the mean of finished tasks of the kind, else a default. */
export async function planEstimates(tx: Tx, plan: PlanView): Promise<PlanEstimates> {
  const keys = plan.critical_path ?? []
  const { rows: chain } = await sql<ChainTask>`
    select kind, status, (spec->>'estimate_ms')::float8 as estimate_ms,
      (extract(epoch from finished_at - started_at) * 1000)::float8 as took_ms
    from core.tasks
    where tenant_id = current_setting('app.tenant') and plan_id = ${plan.id} and key = any(${keys}::text[])`.execute(tx)
  const { rows: means } = await sql<{ kind: TaskKind; mean_ms: number }>`
    select kind, avg(extract(epoch from finished_at - started_at) * 1000)::float8 as mean_ms from core.tasks
    where tenant_id = current_setting('app.tenant') and plan_id = ${plan.id} and status = 'completed'
    group by kind`.execute(tx)
  return sumUp(chain, new Map(means.map(({ kind, mean_ms }) => [kind, mean_ms])))
}

function sumUp(chain: readonly ChainTask[], means: ReadonlyMap<TaskKind, number>): PlanEstimates {
  let total = 0
  let remaining = 0
  let measured = 0
  for (const { kind, status, estimate_ms, took_ms } of chain) {
    const mean = means.get(kind)
    const ms = took_ms ?? estimate_ms ?? mean ?? DEFAULT_ESTIMATE_MS[kind]
    if (took_ms !== null || (estimate_ms === null && mean !== undefined)) measured += 1
    total += ms
    if (!ENDED.includes(status)) remaining += ms
  }
  return { critical_path_ms: Math.round(total), remaining_ms: Math.round(remaining), measured }
}
