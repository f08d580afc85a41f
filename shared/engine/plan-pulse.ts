import { sql } from 'kysely'
import type { Tx } from '../db/index.ts'
import { errors } from '../errors/index.ts'
import type { PlanProgress, PlanRecord, PlanView } from './types.ts'

/** How a plan stands and what it waits for, without its definition. */
export interface PlanPulse {
  status: PlanRecord['status']
  phase: PlanView['phase']
  progress: PlanProgress
  /** Tasks that are ready, run or wait for a retry, and are carried on by the platform itself. */
  platform: number
  /** Assistant tasks that wait to be claimed, or are under a lease. */
  assistant: number
  /** Tasks whose call a person must allow. */
  parked: number
}

interface Row extends Omit<PlanPulse, 'progress'>, PlanProgress {}

/** Put aside until a decision; a task that waits for its children has some. */
const PARKED = sql`(t.status = 'waiting' and not exists (
  select from core.tasks c where c.tenant_id = t.tenant_id and c.parent_task_id = t.id))`

/** Costs the plan's open tasks and nothing of its size, so that whoever waits may look often; E0004 for an unknown plan. */
export async function planPulse(tx: Tx, planId: string): Promise<PlanPulse> {
  const { rows } = await sql<Row>`
    select pp.plan_status as status, pp.phase, pp.total, pp.completed, pp.failed, pp.skipped, pp.cancelled,
      pp.total - pp.completed - pp.failed - pp.skipped - pp.cancelled as pending, open.platform, open.assistant, open.parked
    from core.plan_progress pp cross join lateral (
      select count(*) filter (where t.kind <> 'assistant' and not ${PARKED})::int4 as platform,
        count(*) filter (where t.kind = 'assistant')::int4 as assistant, count(*) filter (where ${PARKED})::int4 as parked
      from core.tasks t
      where t.tenant_id = pp.tenant_id and t.plan_id = pp.plan_id
        and t.status in ('ready', 'running', 'waiting', 'blocked') and t.deleted_at is null
    ) open
    where pp.tenant_id = current_setting('app.tenant') and pp.plan_id = ${planId}`.execute(tx)
  const [row] = rows
  if (row === undefined) throw errors.notFound({ kind: 'plan', id: planId }, { hint: 'List ids with list_plans.' })
  const { status, phase, platform, assistant, parked, ...progress } = row
  return { status, phase, progress, platform, assistant, parked }
}

/** Assistant tasks of executing plans that have not ended, by what they wait for; of one plan, or of the whole tenant. */
export async function openAssistantTasks(tx: Tx, planId?: string) {
  const { rows } = await sql<{ ready: number; running: number; pending: number }>`
    select count(*) filter (where t.status = 'ready')::int4 as ready,
      count(*) filter (where t.status = 'running')::int4 as running,
      count(*) filter (where t.status in ('pending', 'blocked'))::int4 as pending
    from core.tasks t join core.plan_progress p
      on p.tenant_id = t.tenant_id and p.plan_id = t.plan_id and p.plan_status = 'executing'
    where t.tenant_id = current_setting('app.tenant') and t.kind = 'assistant' and t.deleted_at is null
      and t.status in ('ready', 'running', 'pending', 'blocked')
      ${planId === undefined ? sql`` : sql`and t.plan_id = ${planId}`}`.execute(tx)
  return rows[0] ?? { ready: 0, running: 0, pending: 0 }
}
