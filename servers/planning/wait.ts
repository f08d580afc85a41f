import { ENGINE_CHANNEL, type PlanPulse, planPulse, readWake } from '@story-portal/shared/engine'
import type { OpenContext } from '@story-portal/shared/mcp'

/** How a plan stands for whoever waits for it. */
export type WaitEnd = 'not_started' | 'ended' | 'paused' | 'needs_assistant' | 'needs_approval' | 'still_running'

const HINTS: Record<WaitEnd, string> = {
  not_started: 'The plan has not been started: call run_plan.',
  ended: 'The plan has ended; get_run on runtime tells its story.',
  paused: 'The plan is paused; run_plan resumes it.',
  needs_assistant:
    'Only assistant tasks are left to do now: claim_task gives the next one; then call run_plan again to wait on.',
  needs_approval:
    'Only tasks are left whose call a person must allow: list_approvals on supervision shows them; then call run_plan again to wait on.',
  still_running: 'The plan runs on; call run_plan or get_plan again to wait on.',
}

/** A wake-up may get lost, so the plan is looked at this often anyway. */
const LOOK_MS = 1_000
/** Left for reading the tasks and answering before the caller's deadline. */
const ANSWER_MS = 1_500

export interface Waited {
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
      const pulse = await ctx.db.read((tx) => planPulse(tx, planId))
      const { total, pending } = pulse.progress
      ctx.progress({ progress: total - pending, total, message: pulse.status })
      const waiting = stateOf(pulse)
      const left = until - Date.now()
      if (waiting !== 'still_running' || left <= 0) return { waiting, hint: HINTS[waiting] }
      await bell.wait(Math.min(LOOK_MS, left), ctx.signal)
    }
  } finally {
    await unlisten()
  }
}

/** How a plan stands, without waiting. */
export async function look(ctx: OpenContext, planId: string): Promise<Waited> {
  const waiting = stateOf(await ctx.db.read((tx) => planPulse(tx, planId)))
  return { waiting, hint: HINTS[waiting] }
}

function stateOf({ status, phase, platform, assistant, parked }: PlanPulse): WaitEnd {
  if (status === 'paused') return 'paused'
  if (status === 'draft' || status === 'validated') return 'not_started'
  if (status !== 'executing') return phase === 'compensating' ? 'still_running' : 'ended'
  if (platform > 0) return 'still_running'
  if (assistant > 0) return 'needs_assistant'
  return parked > 0 ? 'needs_approval' : 'still_running'
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
