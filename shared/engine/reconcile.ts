import { sql } from 'kysely'
import { inMs } from '../data/index.ts'
import type { Db, SystemScope, TenantScope, Tx } from '../db/index.ts'
import { toErrorBody } from '../errors/index.ts'
import type { Jobs } from '../jobs/index.ts'
import { expireApproval } from './approvals.ts'
import { cancelCalls } from './call-cancel.ts'
import { CALLS_QUEUE } from './calls-queue.ts'
import { planErrors } from './errors.ts'
import { endAttempt } from './finish.ts'
import { forgetOldKeys } from './idempotency.ts'
import { endInvocationLeases, leaseEnd, removeOldExtensions } from './lease-extensions.ts'
import { BOOT_PREFIX } from './leases.ts'
import { each, type Found, type Log, perTenant, told } from './per-row.ts'
import { lockPlanOfTask } from './plan-gate.ts'
import { advancePlan } from './plans.ts'
import { renewStatistics } from './statistics.ts'
import { lockTask, moveTasks, NO_LEASE, type TaskRow, TERMINAL } from './task-rows.ts'
import { wake } from './wake.ts'

const SYSTEM: SystemScope = { kind: 'system', name: 'engine.reconciler' }
/** Rows of one kind that one round puts right; more wait for the next. */
const BATCH = 500
const UNCLAIMED_MS = 5_000
/** A call's own caller comes back to it first; only then it is handed to the workers. */
const CALL_GRACE_MS = 10_000
/** Losing a worker is no fault of the task, until it loses one after the other: then it probably kills them. */
export const MAX_LOST_LEASES = 25

export interface ReconcileOptions {
  jobs?: Jobs | undefined
  log?: Log | undefined
}

/**
 * One round over all tenants: reads in a system transaction, then acts tenant by tenant in theirs. A row that can not be put
 * right stays for a person and stops no other, of any tenant. Returns how much it did.
 */
export async function reconcile(db: Db, { jobs, log }: ReconcileOptions): Promise<number> {
  const steps: Record<string, () => Promise<number>> = {
    leases: () => releaseExpired(db, LEASE_OVER, log),
    deadlines: () => passDeadlines(db, log),
    plans: () => advanceStuck(db, log),
    wake: () => wakeForDue(db),
    keys: () => tidy(db, (tx) => forgetOldKeys(tx, BATCH)),
    extensions: () => tidy(db, removeOldExtensions),
    statistics: () => renewStatistics(db),
    approvals: () => expireApprovals(db, log),
    calls: async () => (jobs ? await resubmitCalls(db, jobs, log) : 0),
  }
  let done = 0
  for (const [step, run] of Object.entries(steps)) {
    try {
      done += await run()
    } catch (error) {
      told(log, error, { step })
    }
  }
  return done
}

/** Voids the leases of dead processes: their tasks are ready again, their calls may be taken over at once. */
export async function voidLeases(db: Db, mine: string, log?: Log): Promise<number> {
  const theirs = sql`lease_owner like ${`${BOOT_PREFIX}%`} and lease_owner <> ${mine}`
  let total = 0
  for (;;) {
    const voided = (await releaseExpired(db, theirs, log)) + (await expireCalls(db, theirs, log))
    total += voided
    // Not at the first batch that is short: it may be short of rows that could not be changed.
    if (voided === 0) break
  }
  await db.tx(SYSTEM, (tx) =>
    sql`delete from core.leases where holder like ${`${BOOT_PREFIX}%`} and holder <> ${mine}`.execute(tx),
  )
  return total
}

/** Milliseconds until the next retry is due, by the database's clock. */
export async function nextRetryMs(db: Db): Promise<number | undefined> {
  const { rows } = await db.tx(SYSTEM, (tx) =>
    sql<{ ms: number | null }>`
      select (extract(epoch from min(retry_at) - core.now()) * 1000)::float8 as ms from core.tasks
      where status = 'ready' and retry_at > core.now() and coalesce(retry_at, ready_at) > core.now()`.execute(tx),
  )
  const ms = rows[0]?.ms
  return typeof ms === 'number' ? Math.max(10, Math.ceil(ms)) : undefined
}

type Condition = ReturnType<typeof sql>

/** The first part has an index; an extension never shortens the lease of a task. */
const LEASE_OVER = sql`lease_expires_at <= core.now() and ${leaseEnd('tasks')} <= core.now()`

async function releaseExpired(db: Db, condition: Condition, log?: Log): Promise<number> {
  const found = await select(db, sql`core.tasks where status = 'running' and ${condition}`)
  return await perTenant(found, log, async (scope, ids) => {
    const { moved, poisoned } = await db.tx(scope, (tx) => makeReady(tx, scope, ids, condition))
    for (const task of poisoned) await db.tx(scope, (tx) => failLost(tx, task, condition))
    return moved + poisoned.length
  })
}

interface Released {
  moved: number
  /** Those that lost too many workers. */
  poisoned: TaskRow[]
}

/** Ready again without a charge to its attempts; the next claim raises the fence. */
async function makeReady(tx: Tx, scope: TenantScope, ids: readonly string[], condition: Condition): Promise<Released> {
  const locked = await sql<{ id: string }>`
    select id from core.tasks where id = any(${[...ids]}::text[]) and status = 'running' and ${condition}
    order by id for no key update skip locked`.execute(tx)
  // Asked again under the lock: a heartbeat may have extended the lease until then.
  const { rows } = await sql<TaskRow>`
    select * from core.tasks where id = any(${locked.rows.map(({ id }) => id)}::text[]) and ${condition}
    order by id`.execute(tx)
  const poisoned = rows.filter((task) => task.fence - task.attempts >= MAX_LOST_LEASES && task.kind !== 'assistant')
  const moves = rows
    .filter((task) => !poisoned.includes(task))
    .map(({ id }) => ({
      id,
      states: ['ready' as const],
      changes: { ...NO_LEASE, deadline_at: null, ready_at: inMs(0) },
    }))
  await moveTasks(tx, moves, 'its lease ended')
  if (moves.length > 0) await wake(tx, { what: 'tasks', tenant_id: scope.tenant_id })
  return { moved: moves.length, poisoned }
}

async function failLost(tx: Tx, { id, fence }: TaskRow, condition: Condition): Promise<void> {
  const gate = await lockPlanOfTask(tx, id)
  const task = await lockTask(tx, id)
  // Its worker may have given a sign of life since it was found.
  const { rows } = await sql`
    select from core.tasks where id = ${id} and fence = ${fence} and status = 'running' and ${condition}`.execute(tx)
  if (rows.length === 0) return
  const error = {
    ...toErrorBody(planErrors.leaseLostTooOften({ task: task.key, count: task.fence - task.attempts })).error,
  }
  await endAttempt(tx, gate, task, { status: 'failed', error, retryable: false })
}

async function passDeadlines(db: Db, log?: Log): Promise<number> {
  const found = await select(db, sql`core.tasks where status = 'running' and deadline_at <= core.now()`)
  return await each(found, log, (scope, id) => db.tx(scope, (tx) => passDeadline(tx, id)))
}

/** A passed deadline ends the attempt like a failure, and with it the lease: whoever works on it still can record nothing. */
async function passDeadline(tx: Tx, id: string): Promise<void> {
  const gate = await lockPlanOfTask(tx, id)
  const { rows } = await sql<TaskRow>`
    select * from core.tasks where id = ${id} and status = 'running' and deadline_at <= core.now() for no key update`.execute(
    tx,
  )
  const [task] = rows
  if (!task) return
  const error = { ...toErrorBody(planErrors.taskTimedOut({ task: task.key, ms: task.spec.timeout_ms ?? 0 })).error }
  await endAttempt(tx, gate, task, { status: 'failed', error, retryable: true })
}

/** Plans with decisions put off, plans whose last task has ended without ending them, failing plans that got a task back. */
async function advanceStuck(db: Db, log?: Log): Promise<number> {
  const returned = sql`phase = 'failing' and exists (select from core.tasks t
    where t.tenant_id = pp.tenant_id and t.plan_id = pp.plan_id and t.status in ('pending', 'ready', 'blocked', 'waiting'))`
  const stuck = sql`has_deferred or completed + failed + skipped + cancelled = total or ${returned}`
  const plans = sql`core.plan_progress pp where phase in ('running', 'failing', 'compensating') and (${stuck})`
  const found = await select(db, plans, sql`plan_id`)
  return await each(found, log, (scope, id) => db.tx(scope, (tx) => advancePlan(tx, id)))
}

/** One wake-up per tenant with work that is due and was not taken; assistants come by themselves. */
async function wakeForDue(db: Db): Promise<number> {
  await db.tx(SYSTEM, async (tx) => {
    const { rows } = await sql<{ tenant_id: string }>`
      select distinct tenant_id from core.tasks
      where status = 'ready' and kind <> 'assistant' and coalesce(retry_at, ready_at) <= core.now()
        and (retry_at is not null or ready_at <= core.now() - make_interval(secs => ${UNCLAIMED_MS / 1_000}::float8))
      limit ${BATCH}`.execute(tx)
    for (const { tenant_id } of rows) await wake(tx, { what: 'tasks', tenant_id })
  })
  return 0
}

/** Nothing that anybody waits for. */
async function tidy(db: Db, remove: (tx: Tx) => Promise<void>): Promise<number> {
  await db.tx(SYSTEM, remove)
  return 0
}

async function expireCalls(db: Db, condition: Condition, log?: Log): Promise<number> {
  const open = sql`core.invocations where status = 'running' and ${leaseEnd('invocations')} > core.now() and ${condition}`
  return await perTenant(await select(db, open), log, (scope, ids) =>
    db.tx(scope, (tx) => endInvocationLeases(tx, ids, condition)),
  )
}

/** The task that made a call, itself or by its code, is in one of the states. */
function itsTaskIs(...states: string[]): Condition {
  return sql`(
    exists (select from core.tasks t where t.tenant_id = i.tenant_id and t.id = i.task_id
      and t.status = any(${states}::text[]))
    or exists (select from core.invocations p join core.tasks t on t.tenant_id = p.tenant_id and t.id = p.task_id
      where p.tenant_id = i.tenant_id and p.id = i.parent_invocation_id and t.status = any(${states}::text[])))`
}

/** Calls that somebody else takes up again under the same key: the worker of their open task, or the call they are part of. */
const COMES_BACK = sql`(
  ${itsTaskIs('ready', 'running', 'waiting')}
  or exists (select from core.invocations p where p.tenant_id = i.tenant_id and p.id = i.parent_invocation_id
    and p.status in ('pending', 'running')))`

/** Nobody may take these up any more: their effect would come after the end of their task. */
const TASK_ENDED = itsTaskIs(...TERMINAL)

/** A committed intent is never forgotten (I6): calls that nobody came back to, and submitted ones whose job got lost. */
async function resubmitCalls(db: Db, jobs: Jobs, log?: Log): Promise<number> {
  const grace = sql`core.now() - make_interval(secs => ${CALL_GRACE_MS / 1_000}::float8)`
  const lost = sql`core.invocations i where status = 'running' and ${leaseEnd('i')} <= ${grace}`
  const waiting = sql`core.invocations i where status = 'pending' and created_at <= ${grace} and not exists (
    select from core.approvals a where a.tenant_id = i.tenant_id and a.id = i.waits_for and a.status = 'pending')`
  const approved = sql`core.invocations i where status = 'pending_approval' and exists (select from core.approvals a
    where a.tenant_id = i.tenant_id and a.invocation_id = i.id and a.status = 'approved' and a.decided_at <= ${grace})`
  const cancelled = await cancelLate(db, [sql`${lost} and ${TASK_ENDED}`, sql`${waiting} and ${TASK_ENDED}`], log)
  const found = [
    ...(await select(db, sql`${lost} and not ${COMES_BACK} and not ${TASK_ENDED}`)),
    ...(await select(db, sql`${waiting} and not ${TASK_ENDED} order by created_at`)),
    ...(await select(db, sql`${approved} and not ${TASK_ENDED}`)),
  ]
  if (found.length === 0) return cancelled
  const lostJobs = found.map(({ tenant_id, id }) => ({ tenant_id, invocation_id: id }))
  await db.tx(SYSTEM, (tx) =>
    jobs.enqueueMany(tx, CALLS_QUEUE, lostJobs, { singleton_key: (job) => job.invocation_id }),
  )
  return cancelled + found.length
}

/** What nobody decided in time is refused, so that whoever waits for it can go on. */
async function expireApprovals(db: Db, log?: Log): Promise<number> {
  const over = sql`core.approvals where status = 'pending' and expires_at <= core.now()`
  return await each(await select(db, over), log, (scope, id) => expireApproval(db, scope, id))
}

async function cancelLate(db: Db, conditions: readonly Condition[], log?: Log): Promise<number> {
  let done = 0
  for (const condition of conditions) {
    done += await perTenant(await select(db, condition), log, async (scope, ids) => {
      await db.tx(scope, (tx) => cancelCalls(tx, scope.tenant_id, ids, 'its task has ended'))
      return ids.length
    })
  }
  return done
}

async function select(db: Db, from: Condition, id: Condition = sql`id`): Promise<Found[]> {
  const { rows } = await db.tx(SYSTEM, (tx) =>
    sql<Found>`select tenant_id, ${id} as id from ${from} limit ${BATCH}`.execute(tx),
  )
  return rows
}
