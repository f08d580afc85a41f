import type { Tx } from '@story-portal/shared/db'
import { type ClaimedTask, openAssistantTasks, type PlanPulse } from '@story-portal/shared/engine'

type Plan = Pick<PlanPulse, 'status'> & { id: string }

/** An assistant thinks for minutes where a worker beats every few seconds; the platform's default lease is for workers. */
export const WORK_LEASE_MS = 300_000

/** A claimed task as the assistant needs it: what to do, with what, and the proof that it is theirs. */
export function claimForClient(task: ClaimedTask) {
  const { id, plan_id, goal_id, key, name, kind, input, attempt, max_attempts, deadline_at, spec } = task
  const { instructions = null, prompt = null, description = null } = spec
  return {
    task: {
      ...{ id, plan_id, goal_id, key, name, kind, status: 'running', input, attempt, max_attempts, deadline_at },
      ...{ instructions, prompt, description },
    },
    lease_token: task.lease_token,
    lease_expires_at: task.lease_expires_at,
    hint: `Complete it with complete_task, or fail_task, before the lease ends; extend_task_lease gives more time.`,
  }
}

/** Why there is nothing to do now, so that an assistant neither gives up early nor asks for ever. */
export async function nothingReady(tx: Tx, plan: Plan | undefined) {
  return { task: null, lease_token: null, lease_expires_at: null, hint: await reason(tx, plan) }
}

async function reason(tx: Tx, plan: Plan | undefined): Promise<string> {
  if (plan?.status === 'validated') return 'The plan has not been started: call run_plan.'
  if (plan?.status === 'paused') return 'The plan is paused: call run_plan to resume it.'
  if (plan && plan.status !== 'executing') return `The plan is ${plan.status}; get_plan shows its tasks.`
  const open = await openAssistantTasks(tx, plan?.id)
  if (open.running > 0)
    return `${open.running} assistant tasks are claimed by others; their leases may end. Call again later.`
  if (open.ready > 0)
    return `${open.ready} assistant tasks wait for a retry, ask for other capabilities, or the plan is at max_parallel.`
  if (open.pending > 0) return `${open.pending} assistant tasks wait for tasks before them. Call again later.`
  return plan
    ? 'This plan has no more assistant tasks; get_plan shows where it stands.'
    : 'No plan needs an assistant now.'
}
