import { sql } from 'kysely'
import type { Tx } from '../db/index.ts'

/** Open tasks by who can carry them on. */
export interface PlanPulse {
  /** Ready, running or waiting for a retry, and carried on by the platform itself. */
  platform: number
  /** Assistant tasks that wait to be claimed. */
  unclaimed: number
  /** Assistant tasks under a lease. */
  claimed: number
}

/** What an executing plan waits for now; costs the plan's open tasks, not all of them. */
export async function planPulse(tx: Tx, planId: string): Promise<PlanPulse> {
  const { rows } = await sql<PlanPulse>`
    select count(*) filter (where kind <> 'assistant')::int4 as platform,
      count(*) filter (where kind = 'assistant' and status = 'ready')::int4 as unclaimed,
      count(*) filter (where kind = 'assistant' and status in ('running', 'waiting'))::int4 as claimed
    from core.tasks
    where tenant_id = current_setting('app.tenant') and plan_id = ${planId}
      and status in ('ready', 'running', 'waiting', 'blocked') and deleted_at is null`.execute(tx)
  return rows[0] ?? { platform: 0, unclaimed: 0, claimed: 0 }
}

/** Assistant tasks of executing plans that have not ended, by what they wait for; of one plan, or of the whole tenant. */
export async function openAssistantTasks(tx: Tx, planId?: string) {
  const { rows } = await sql<{ ready: number; running: number; pending: number }>`
    select count(*) filter (where t.status = 'ready')::int4 as ready,
      count(*) filter (where t.status = 'running')::int4 as running,
      count(*) filter (where t.status in ('pending', 'blocked'))::int4 as pending
    from core.tasks t join core.plans p on p.tenant_id = t.tenant_id and p.id = t.plan_id and p.status = 'executing'
    where t.tenant_id = current_setting('app.tenant') and t.kind = 'assistant' and t.deleted_at is null
      and t.status in ('ready', 'running', 'pending', 'blocked')
      ${planId === undefined ? sql`` : sql`and t.plan_id = ${planId}`}`.execute(tx)
  return rows[0] ?? { ready: 0, running: 0, pending: 0 }
}
