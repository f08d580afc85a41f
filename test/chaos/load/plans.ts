import { setTimeout as sleep } from 'node:timers/promises'
import { Refused } from '../client.ts'
import type { Work } from './load.ts'
import { planTasks } from './plan-tasks.ts'

/** A plan that has not ended so long after the last fault will not. */
const PATIENCE_MS = 180_000
/** Short: a claim whose answer is lost must not hold the plan up. */
const CLAIM_MS = 5_000

/** One plan of 200 tasks after the other. */
export async function runPlans(work: Work): Promise<void> {
  for (let n = 1; !work.enough.aborted; n++) await runPlan(work, `p${n}`)
}

async function runPlan(work: Work, name: string): Promise<void> {
  const { client, ledger } = work
  const { goal } = (await client.call('planning', 'create_goal', { title: name }, name)) as { goal: { id: string } }
  ledger.goals.set(goal.id, name)
  const args = { goal_id: goal.id, name, tasks: planTasks(name) }
  const { plan } = (await client.call('planning', 'create_plan', args, `${name}-plan`)) as { plan: { id: string } }
  await client.call('planning', 'run_plan', { plan_id: plan.id, mode: 'background' }, `${name}-run`)
  ledger.plans.push({ id: plan.id, name })
  const ended = new AbortController()
  const assistant = assist(work, { plan_id: plan.id, name, ended: ended.signal })
  try {
    await untilEnded(work, plan.id, name)
  } finally {
    ended.abort()
  }
  await assistant
}

async function untilEnded({ client, enough, abandoned }: Work, plan_id: string, name: string): Promise<void> {
  let deadline = Number.POSITIVE_INFINITY
  while (!abandoned.aborted) {
    const seen = await client.call('planning', 'get_plan', { plan_id, keys: ['root'] })
    const { status } = seen['plan'] as { status: string }
    if (!['validated', 'executing', 'draft'].includes(status)) break
    if (enough.aborted) deadline = Math.min(deadline, performance.now() + PATIENCE_MS)
    if (performance.now() > deadline) throw new Error(`plan ${name} has not ended: ${JSON.stringify(seen['plan'])}`)
    await sleep(400)
  }
}

interface Assigned {
  plan_id: string
  name: string
  /** Aborted when the plan has ended. */
  ended: AbortSignal
}

/** The one step that is done by a client: it has its effect itself, once, and then says so until it is heard. */
async function assist({ client, receiver }: Work, { plan_id, name, ended }: Assigned): Promise<void> {
  let delivered = false
  for (let n = 1; !ended.aborted; n++) {
    const claim = await client.call('planning', 'claim_task', { plan_id, lease_ms: CLAIM_MS }, `${name}-claim-${n}`)
    const { task, lease_token } = claim as { task: { id: string } | null; lease_token: string }
    if (task === null) {
      await sleep(500)
      continue
    }
    if (!delivered) {
      const label = `${name}/judge`
      const headers = { 'Idempotency-Key': label, 'Content-Type': 'application/json' }
      await fetch(`${receiver.url}/effects`, { method: 'POST', headers, body: JSON.stringify({ label }) })
      delivered = true
    }
    const proof = { task_id: task.id, lease_token, output: 'delivered' }
    try {
      await client.call('planning', 'complete_task', proof, `${name}-complete-${n}`)
      return
    } catch (error) {
      // The lease ended while nobody answered: claimed again, and not done again.
      if (!(error instanceof Refused && error.body.code === 'CONFLICT')) throw error
    }
  }
}
