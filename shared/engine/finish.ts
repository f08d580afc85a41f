import { inMs } from '../data/index.ts'
import type { Tx } from '../db/index.ts'
import type { StoryPortalError } from '../errors/index.ts'
import { storableJson } from '../events/index.ts'
import { cancelInvocationsOf } from './call-cancel.ts'
import { assertSize } from './decide.ts'
import { RetryPolicy } from './definition.ts'
import { planErrors } from './errors.ts'
import { closeIfDone } from './plan-end.ts'
import { type Gate, lockPlanOfTask, progressOf } from './plan-gate.ts'
import { carryOn } from './progress.ts'
import { ending, lockTask, moveTasks, NO_LEASE, type TaskRow } from './task-rows.ts'
import type { FinishedTask, LeaseProof, TaskOutcome, TaskRecord } from './types.ts'
import { wake } from './wake.ts'

/**
 * Records how a claimed task ended, in one transaction with all that follows: the tasks it frees, a retry, the end of the plan
 * and of its goal. Throws leaseLost (E0601) when the proof is not of the task's present lease: then nothing is recorded (I4).
 */
export async function finishTask(
  tx: Tx,
  request: { task_id: string; outcome: TaskOutcome } & LeaseProof,
): Promise<FinishedTask> {
  const gate = await lockPlanOfTask(tx, request.task_id)
  const task = await lockTask(tx, request.task_id)
  assertLease(task, request)
  const record = await endAttempt(tx, gate, task, request.outcome)
  const plan = { id: gate.plan_id, status: gate.plan_status, phase: gate.phase, progress: progressOf(gate) }
  return { task: record as unknown as TaskRecord, plan }
}

/** Ends the attempt that runs now, under the gate and the lock of the task: the reconciler ends those that nobody holds. */
export async function endAttempt(tx: Tx, gate: Gate, task: TaskRow, outcome: TaskOutcome): Promise<TaskRow> {
  if (outcome.status === 'completed') assertSize(outcome.output, task.key)
  await cancelInvocationsOf(tx, gate.tenant_id, [task.id])
  const attempts = task.attempts + (outcome.status === 'cancelled' ? 0 : 1)
  const open = outcome.status === 'failed' && outcome.retryable && attempts < task.max_attempts && mayRetry(gate)
  if (open) return await retryLater(tx, gate, task, attempts, outcome.error)
  const changes = ending(outcome.status, { attempts, ...outcomeColumns(outcome) })
  const [record = task] = await moveTasks(tx, [{ id: task.id, states: [outcome.status], changes }])
  const { ready } = await carryOn(tx, gate, [{ ...task, status: outcome.status }])
  await closeIfDone(tx, gate)
  if (ready > 0) await wake(tx, { what: 'tasks', tenant_id: gate.tenant_id, plan_id: gate.plan_id })
  return record
}

/** Throws leaseLost unless the task runs under the lease that the proof is of. */
export function assertLease(task: TaskRow, proof: LeaseProof): void {
  const byToken = proof.lease_token === undefined || proof.lease_token === task.lease_token
  const byFence = proof.fence === undefined || proof.fence === task.fence
  const proven = proof.lease_token !== undefined || proof.fence !== undefined
  if (task.status === 'running' && byToken && byFence && proven) return
  throw leaseLost(task)
}

/** The refusal of a proof that is not of the task's present lease. */
export function leaseLost({ id, status }: Pick<TaskRow, 'id' | 'status'>): StoryPortalError {
  return planErrors.leaseLost({ task: id, status }, { details: { status } })
}

/** A failing plan waits only for what runs already; compensations keep their retries. */
function mayRetry(gate: Gate): boolean {
  return gate.phase === 'running' || gate.phase === 'compensating'
}

async function retryLater(tx: Tx, gate: Gate, task: TaskRow, attempts: number, error: unknown): Promise<TaskRow> {
  const wait = backoff(task.spec.retry ?? RetryPolicy.parse({}), attempts)
  const changes = {
    ...NO_LEASE,
    attempts,
    error: errorColumn(error),
    ready_at: inMs(0),
    retry_at: inMs(wait),
    deadline_at: null,
  }
  const [record = task] = await moveTasks(
    tx,
    [{ id: task.id, states: ['ready'], changes }],
    `attempt ${attempts} failed`,
  )
  await wake(tx, { what: 'retry', tenant_id: gate.tenant_id, plan_id: gate.plan_id, in_ms: wait })
  return record
}

function backoff(retry: RetryPolicy, attempts: number): number {
  return Math.min(retry.backoff_ms * retry.factor ** (attempts - 1), retry.max_backoff_ms)
}

function outcomeColumns(outcome: TaskOutcome) {
  if (outcome.status === 'completed') return { output: storable(outcome.output ?? null), error: null }
  return { error: outcome.error === undefined ? null : errorColumn(outcome.error) }
}

/** Says at once, with the path, that a value can't be kept. */
function storable(value: unknown): unknown {
  storableJson(value, 'output')
  return value
}

function errorColumn(error: unknown): Record<string, unknown> {
  if (typeof error === 'object' && error !== null && !Array.isArray(error)) return { ...error }
  return { message: typeof error === 'string' ? error : JSON.stringify(error ?? null) }
}
