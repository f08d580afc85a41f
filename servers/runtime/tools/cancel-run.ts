import { cancelPlan } from '@story-portal/shared/engine'
import { defineTool } from '@story-portal/shared/mcp'
import { z } from 'zod'
import { runtimeErrors } from '../errors.ts'
import { runOf } from '../run.ts'
import { Run, RunId } from '../schema.ts'
import { runForClient } from '../view.ts'

const ENDED = ['succeeded', 'failed', 'cancelled']

export default defineTool({
  name: 'cancel_run',
  description:
    'Ends a run for good: a run of a plan cancels the plan, with its leases, open tasks and declared compensations. To stop a plan for a while, call pause_plan on planning.',
  effect: 'delete',
  input: { run_id: RunId, reason: z.string().min(1).max(500).describe('Why; kept in the history').optional() },
  output: { run: Run },
  async run({ run_id, reason }, { tx }) {
    const run = await runOf(tx, run_id)
    if (run.kind !== 'plan' || run.plan_id === null) throw runtimeErrors.kindUnavailable({ kind: run.kind })
    if (ENDED.includes(run.status)) throw runtimeErrors.runEnded({ run: run.id, status: run.status })
    await cancelPlan(tx, run.plan_id, reason === undefined ? {} : { reason })
    return { run: runForClient(await runOf(tx, run_id)) }
  },
})
