import { ENGINE_CHANNEL, type PlanView, planPulse, planView, readWake } from '@story-portal/shared/engine'
import type { OpenContext } from '@story-portal/shared/mcp'

/** Why a wait ended; in every case but `ended` the plan goes on by itself. */
export type WaitEnd = 'ended' | 'paused' | 'needs_assistant' | 'still_running'

const HINTS: Record<WaitEnd, string> = {
  ended: 'The plan has ended; get_run on runtime tells its story.',
  paused: 'The plan is paused; run_plan resumes it.',
  needs_assistant:
    'Only assistant tasks are left to do now: claim_task gives the next one; then call run_plan again to wait on.',
  still_running: 'The plan runs on; call run_plan or get_plan again to wait on.',
}

/** A wake-up may get lost, so the plan is looked at this often anyway. */
const LOOK_MS = 1_000
/** Left for reading the tasks and answering before the caller's deadline. */
const ANSWER_MS = 1_500

export interface Waited {
  plan: PlanView
  waiting: WaitEnd
  hint: string
}

/**
 * Waits until the plan has ended, is paused, or can only go on by an assistant: the waiter may be the assistant it waits for.
 * Reports progress. Giving up on the wait changes nothing about the plan.
 */
export async function waitForPlan(ctx: OpenContext, planId: string): Promise<Waited> {
  const until = ctx.deadline === undefined ? Number.POSITIVE_INFINITY : ctx.deadline - ANSWER_MS
  const bell = new Bell()
  const unlisten = await ctx.host.db.listen(ENGINE_CHANNEL, (payload) => {
    if (readWake(payload)?.plan_id === planId) bell.ring()
  })
  try {
    for (;;) {
      const { plan, waiting } = await look(ctx, planId)
      ctx.progress({
        progress: plan.progress.total - plan.progress.pending,
        total: plan.progress.total,
        message: plan.status,
      })
      const left = until - Date.now()
      if (waiting !== 'still_running' || left <= 0) return { plan, waiting, hint: HINTS[waiting] }
      await bell.wait(Math.min(LOOK_MS, left), ctx.signal)
    }
  } finally {
    await unlisten()
  }
}

/** How a plan stands, without waiting. */
export async function look(ctx: OpenContext, planId: string): Promise<Waited> {
  const { plan, pulse } = await ctx.db.read(async (tx) => ({
    plan: await planView(tx, planId),
    pulse: await planPulse(tx, planId),
  }))
  const waiting = stateOf(plan, pulse)
  return { plan, waiting, hint: HINTS[waiting] }
}

function stateOf(plan: PlanView, pulse: Awaited<ReturnType<typeof planPulse>>): WaitEnd {
  if (plan.status === 'paused') return 'paused'
  if (plan.status !== 'executing') return plan.phase === 'compensating' ? 'still_running' : 'ended'
  const needed = pulse.platform === 0 && pulse.unclaimed + pulse.claimed > 0
  return needed ? 'needs_assistant' : 'still_running'
}

/** Rings once for any number of wake-ups while nobody waits, so that none is missed between two looks. */
class Bell {
  #rung = false
  #wake: () => void = () => {}

  ring(): void {
    this.#rung = true
    this.#wake()
  }

  async wait(ms: number, signal: AbortSignal): Promise<void> {
    if (!this.#rung) {
      await new Promise<void>((resolve) => {
        const wake = (): void => {
          clearTimeout(timer)
          signal.removeEventListener('abort', wake)
          resolve()
        }
        const timer = setTimeout(wake, ms)
        this.#wake = wake
        if (signal.aborted) wake()
        else signal.addEventListener('abort', wake, { once: true })
      })
    }
    this.#rung = false
    signal.throwIfAborted()
  }
}
