import { sql } from 'kysely'
import type { Tx } from '../db/index.ts'
import type { InvocationRecord } from './types.ts'

/** An invocation as a step of a run shows it: what was called and how it ended, without arguments and output. */
export type StepInvocation = Pick<
  InvocationRecord,
  'id' | 'task_id' | 'kind' | 'tool' | 'tool_version' | 'attempt' | 'status' | 'started_at' | 'finished_at' | 'usage'
>

/** The invocations of the given tasks, oldest first. */
export async function invocationsOfTasks(tx: Tx, taskIds: readonly string[]): Promise<StepInvocation[]> {
  const { rows } = await sql<StepInvocation>`
    select id, task_id, kind, tool, tool_version, status, started_at, finished_at, usage,
      coalesce(substring(call_key from 'task/[a-z0-9_]+/([0-9]+)$')::int4, attempt) as attempt
    from core.invocations
    where tenant_id = current_setting('app.tenant') and task_id = any(${[...taskIds]}::text[])
    order by created_at, id`.execute(tx)
  return rows
}

/** What a run has used so far; a cost is only counted where the callee reports one. */
export interface RunUsage {
  invocations: number
  failed_invocations: number
  wall_ms: number
  cpu_ms: number
  cost_usd: number
}

export async function runUsage(tx: Tx, runId: string): Promise<RunUsage> {
  const { rows } = await sql<RunUsage>`
    select count(*)::int4 as invocations,
      (count(*) filter (where status in ('failed', 'timed_out')))::int4 as failed_invocations,
      coalesce(sum(coalesce((usage->>'wall_ms')::float8, extract(epoch from finished_at - started_at) * 1000)), 0)::float8 as wall_ms,
      coalesce(sum((usage->>'cpu_ms')::float8), 0)::float8 as cpu_ms,
      coalesce(sum((usage->>'cost_usd')::float8), 0)::float8 as cost_usd
    from core.invocations where tenant_id = current_setting('app.tenant') and run_id = ${runId}`.execute(tx)
  const [row] = rows
  if (row === undefined) throw new Error('an aggregate has one row')
  return { ...row, wall_ms: Math.round(row.wall_ms), cpu_ms: Math.round(row.cpu_ms) }
}

/** One change of state in a run's story. */
export interface TimelineEntry {
  at: string
  what: 'plan' | 'task'
  id: string
  key: string | null
  from: string | null
  to: string
  attempt: number | null
  by: string
  reason: string | null
  position: string
}

/** Changes of state of a plan and of its tasks in the order of the event log, after a position. */
export async function planTimeline(
  tx: Tx,
  planId: string,
  { after, limit }: { after: string | undefined; limit: number },
): Promise<TimelineEntry[]> {
  const { rows } = await sql<TimelineEntry>`
    with streams as (
      select 'plan/' || ${planId} as stream
      union all
      select 'task/' || id from core.tasks where tenant_id = current_setting('app.tenant') and plan_id = ${planId}
    )
    select e.time as at, split_part(e.stream, '/', 1) as what, split_part(e.stream, '/', 2) as id,
      e.data->'record'->>'key' as key, e.data->'changes'->'status'->>'from' as "from",
      e.data->'changes'->'status'->>'to' as "to",
      case when e.data->'record' ? 'attempts' then
        (e.data->'record'->>'attempts')::int4 + (case when e.data->'record'->>'status' = 'running' then 1 else 0 end)
      end as attempt,
      e.actor as by, e.data->>'reason' as reason, lpad(e.position::text, 20, '0') as position
    from streams s join core.events e on e.tenant_id = current_setting('app.tenant') and e.stream = s.stream
    where e.data->'changes' ? 'status' and e.position > ${after ?? '0'}::bigint
    order by e.position limit ${limit}`.execute(tx)
  return rows
}
