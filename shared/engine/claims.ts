import { sql } from 'kysely'
import type { Caller } from '../auth/index.ts'
import { type ChangesOf, inMs, updateRecords } from '../data/index.ts'
import type { Db, TenantScope, Tx } from '../db/index.ts'
import { expandInput } from './decide.ts'
import type { TaskKind } from './definition.ts'
import { leaseLost } from './finish.ts'
import { extendTask } from './lease-extensions.ts'
import { DEFAULT_LEASE_MS, newLeaseToken } from './leases.ts'
import { lockTask, type TaskRow } from './task-rows.ts'
import { runsCode } from './task-spec.ts'
import type { ClaimedTask, LeaseProof } from './types.ts'

export interface ClaimRequest {
  plan_id?: string | undefined
  kinds: readonly TaskKind[]
  limit: number
  /** Who holds the leases: `leaseOwner(boot_id)` for a process, the subject for an assistant. */
  worker: string
  lease_ms?: number | undefined
  /** How long code may wait for its turn in the sandbox before the time that its task has begins. */
  wait_ms?: number | undefined
  /** Tasks that ask for a capability that is not listed here stay for others; undefined takes any task. */
  capabilities?: readonly string[] | undefined
}

/**
 * Takes ready tasks of the tenant under a lease (fence + 1), oldest first, passing by those that another worker is taking. Only
 * of plans that execute, and of compensations; a plan's `max_parallel` counts tasks under lease.
 */
export async function claimTasks(tx: Tx, request: ClaimRequest): Promise<ClaimedTask[]> {
  if (request.limit < 1 || request.kinds.length === 0) return []
  const picked = await pickTasks(tx, request, await lockBoundedPlans(tx, request))
  if (picked.length === 0) return []
  const updates = picked.map((task) => ({ id: task.id, changes: claimColumns(task, request) }))
  const rows = (await updateRecords(tx, 'task', updates)) as unknown as TaskRow[]
  const callers = await callersOf(tx, rows)
  return rows.map((row) => claimed(row, callers.get(row.plan_id)))
}

/** As `claimTasks` for a worker that serves every tenant: looks who has work, then claims tenant by tenant, fewest first. */
export async function claimAcrossTenants(
  db: Db,
  request: ClaimRequest,
  subject = 'service:runtime',
): Promise<ClaimedTask[]> {
  const tenants = await db.tx({ kind: 'system', name: 'engine.claims' }, (tx) => tenantsWithWork(tx, request))
  const claimedTasks: ClaimedTask[] = []
  for (const [i, { tenant_id }] of tenants.entries()) {
    const left = request.limit - claimedTasks.length
    if (left < 1) break
    // A fair share each: one tenant's 10,000 tasks must not make the others wait.
    const share = Math.ceil(left / (tenants.length - i))
    const scope: TenantScope = { kind: 'tenant', tenant_id, subject, source: 'story-portal/engine' }
    claimedTasks.push(...(await db.tx(scope, (tx) => claimTasks(tx, { ...request, limit: share }))))
  }
  return claimedTasks
}

/** Extends the lease on a task from now; leaseLost (E0601) when it is not held any more. */
export async function extendLease(
  tx: Tx,
  request: { task_id: string; lease_ms?: number | undefined } & LeaseProof,
): Promise<{ lease_expires_at: string }> {
  const lease_expires_at = await extendTask(tx, request, request.lease_ms ?? DEFAULT_LEASE_MS)
  if (lease_expires_at !== undefined) return { lease_expires_at }
  throw leaseLost(await lockTask(tx, request.task_id))
}

/** What makes a task claimable, once more for every reader: the claim, the reconciler and the look across tenants. */
const CLAIMABLE = sql`t.status = 'ready' and t.deleted_at is null and (t.retry_at is null or t.retry_at <= core.now())
  and (pp.phase = 'running' and pp.plan_status = 'executing' or pp.phase = 'compensating' and t.spec ? 'compensates')`

type Picked = Pick<TaskRow, 'id' | 'plan_id' | 'kind' | 'fence' | 'spec' | 'started_at'>

async function pickTasks(tx: Tx, request: ClaimRequest, bounded: readonly BoundedPlan[]): Promise<Picked[]> {
  const { rows } = await sql<Picked>`
    select t.id, t.plan_id, t.kind, t.fence, t.spec, t.started_at
    from core.tasks t join core.plan_progress pp on pp.tenant_id = t.tenant_id and pp.plan_id = t.plan_id
    where ${CLAIMABLE} and t.kind = any(${[...request.kinds]}::text[]) ${planFilter(request)} ${capabilityFilter(request)}
      and (pp.max_parallel is null ${bounded.length === 0 ? sql`` : sql`or t.id in (${withinBounds(request, bounded)})`})
    order by t.ready_at, t.id limit ${request.limit}
    for no key update of t skip locked`.execute(tx)
  return rows
}

/** Of each plan with `max_parallel` only what has a place: more of it would push the tasks of other plans out of the pick. */
function withinBounds(request: ClaimRequest, bounded: readonly BoundedPlan[]) {
  return sql`
    select own.id from unnest(${bounded.map((plan) => plan.plan_id)}::text[], ${bounded.map((plan) => plan.free)}::int[])
      as bounded(plan_id, free)
    cross join lateral (
      select t.id from core.tasks t join core.plan_progress pp on pp.tenant_id = t.tenant_id and pp.plan_id = t.plan_id
      where t.plan_id = bounded.plan_id and ${CLAIMABLE} and t.kind = any(${[...request.kinds]}::text[])
        ${capabilityFilter(request)}
      order by t.ready_at, t.id limit bounded.free
    ) own`
}

function planFilter({ plan_id }: ClaimRequest) {
  return plan_id === undefined ? sql`` : sql`and t.plan_id = ${plan_id}`
}

function capabilityFilter({ capabilities }: ClaimRequest) {
  if (capabilities === undefined) return sql``
  return sql`and coalesce(t.spec->'capabilities', '[]'::jsonb) <@ ${JSON.stringify(capabilities)}::jsonb`
}

interface BoundedPlan {
  plan_id: string
  free: number
}

/**
 * Plans with `max_parallel`, ready tasks and a free place, locked at their gate, with how many tasks they may still take: two
 * claims must not both count the same place. One that is locked is passed by; whoever holds it wakes the workers again.
 */
async function lockBoundedPlans(tx: Tx, request: ClaimRequest): Promise<BoundedPlan[]> {
  const { rows } = await sql<{ plan_id: string; max_parallel: number }>`
    select pp.plan_id, pp.max_parallel from core.plan_progress pp
    where pp.max_parallel is not null and pp.phase in ('running', 'compensating')
      ${request.plan_id === undefined ? sql`` : sql`and pp.plan_id = ${request.plan_id}`}
      and pp.max_parallel > (select count(*) from core.tasks r
        where r.tenant_id = pp.tenant_id and r.plan_id = pp.plan_id and r.status = 'running')
      and exists (select from core.tasks t where t.tenant_id = pp.tenant_id and t.plan_id = pp.plan_id and ${CLAIMABLE}
        and t.kind = any(${[...request.kinds]}::text[]) ${capabilityFilter(request)})
    order by pp.plan_id limit 20 for update of pp skip locked`.execute(tx)
  if (rows.length === 0) return []
  // Counted again under the lock: a claim that has just committed may have taken places.
  const running = await sql<{ plan_id: string; n: number }>`
    select plan_id, count(*)::int as n from core.tasks
    where plan_id = any(${rows.map((r) => r.plan_id)}::text[]) and status = 'running' group by plan_id`.execute(tx)
  const taken = new Map(running.rows.map((r) => [r.plan_id, r.n]))
  return rows
    .map(({ plan_id, max_parallel }) => ({ plan_id, free: max_parallel - (taken.get(plan_id) ?? 0) }))
    .filter(({ free }) => free > 0)
}

function claimColumns(task: Picked, request: ClaimRequest): ChangesOf<'task'> {
  return {
    status: 'running',
    fence: task.fence + 1,
    lease_token: newLeaseToken(),
    lease_owner: request.worker,
    lease_expires_at: inMs(request.lease_ms ?? DEFAULT_LEASE_MS),
    deadline_at: task.spec.timeout_ms === undefined ? null : inMs(task.spec.timeout_ms + waitOf(task, request)),
    retry_at: null,
    started_at: task.started_at ?? inMs(0),
  }
}

function waitOf({ kind, spec }: Picked, { wait_ms = 0 }: ClaimRequest): number {
  return runsCode(kind, spec.tool) ? wait_ms : 0
}

async function callersOf(tx: Tx, rows: readonly TaskRow[]): Promise<Map<string, Caller>> {
  const { rows: plans } = await sql<{ id: string; caller: Caller }>`
    select id, caller from core.plans where id = any(${[...new Set(rows.map((r) => r.plan_id))]}::text[])`.execute(tx)
  return new Map(plans.map(({ id, caller }) => [id, caller]))
}

function claimed(row: TaskRow, caller: Caller | undefined): ClaimedTask {
  if (!caller) throw new Error(`plan ${row.plan_id} has no caller`)
  return {
    id: row.id,
    tenant_id: row.tenant_id,
    plan_id: row.plan_id,
    goal_id: row.goal_id,
    key: row.key,
    name: row.name,
    kind: row.kind,
    spec: { ...row.spec },
    input: expandInput(row.kind, row.input),
    attempt: row.attempts + 1,
    max_attempts: row.max_attempts,
    fence: row.fence,
    lease_token: row.lease_token ?? '',
    lease_owner: row.lease_owner ?? '',
    lease_expires_at: row.lease_expires_at ?? '',
    deadline_at: row.deadline_at,
    timeout_ms: row.spec.timeout_ms ?? null,
    step_key: `task/${row.id}`,
    caller,
  }
}

async function tenantsWithWork(tx: Tx, request: ClaimRequest): Promise<{ tenant_id: string }[]> {
  const { rows } = await tenantsQuery(request).execute(tx)
  return rows
}

/**
 * Tenants with work, fewest first. Steps through the index of ready tasks from tenant to tenant and counts no more of each than
 * one claim can take: every claim asks this, so it must not read all that is ready. "offset 0" keeps the planner from joining
 * all of them first.
 */
export function tenantsQuery({ kinds, limit }: ClaimRequest) {
  return sql<{ tenant_id: string }>`
    with recursive tenants as (
      (select tenant_id from core.tasks where status = 'ready' order by tenant_id limit 1)
      union all
      select (select t.tenant_id from core.tasks t where t.status = 'ready' and t.tenant_id > tenants.tenant_id
        order by t.tenant_id limit 1)
      from tenants where tenants.tenant_id is not null
    )
    select tenants.tenant_id from tenants cross join lateral (
      select count(*) as n from (
        select from core.tasks t cross join lateral (
          select p.phase, p.plan_status from core.plan_progress p
          where p.tenant_id = t.tenant_id and p.plan_id = t.plan_id offset 0
        ) pp
        where t.tenant_id = tenants.tenant_id and ${CLAIMABLE} and t.kind = any(${[...kinds]}::text[])
        order by t.tenant_id, t.ready_at, t.id limit ${limit}
      ) found
    ) work
    where work.n > 0 order by work.n, tenants.tenant_id limit 100`
}
