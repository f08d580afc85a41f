import { listRecords, type RecordOf } from '@story-portal/shared/data'
import type { Tx } from '@story-portal/shared/db'
import { invocationsOfTasks, planTimeline, runUsage } from '@story-portal/shared/engine'
import { defineTool } from '@story-portal/shared/mcp'
import { z } from 'zod'
import { runOf } from '../run.ts'
import { Cursor, Limit, Run, RunId } from '../schema.ts'
import { runForClient, stepForClient } from '../view.ts'

const TIMELINE = 500

export default defineTool({
  name: 'get_run',
  description:
    'Returns one run with a page of its steps (attempts, invocations, times), what it used, and its timeline from the event log. To find an id, call list_runs.',
  effect: 'read',
  input: {
    run_id: RunId,
    limit: Limit,
    cursor: Cursor.optional(),
    after_position: z
      .string()
      .regex(/^\d{20}$/, 'must be a position of an earlier timeline')
      .describe('Timeline from after this position')
      .optional(),
  },
  output: {
    run: Run,
    steps: z.array(z.looseObject({ key: z.string(), status: z.string() })),
    next_cursor: z.string().nullable(),
    usage: z.looseObject({ invocations: z.int(), cost_usd: z.number() }),
    timeline: z.array(z.looseObject({ at: z.string(), to: z.string() })),
  },
  async run({ run_id, limit, cursor, after_position }, { tx }) {
    const run = await runOf(tx, run_id)
    const page = await stepsOf(tx, run, limit, cursor)
    const range = { after: after_position, limit: TIMELINE }
    const timeline = run.plan_id === null ? [] : await planTimeline(tx, run.plan_id, range)
    const usage = { ...(await runUsage(tx, run.id)) }
    return { run: runForClient(run), ...page, usage, timeline: timeline.map((entry) => ({ ...entry })) }
  },
})

async function stepsOf(tx: Tx, run: RecordOf<'run'>, limit: number, cursor: string | undefined) {
  if (run.plan_id === null) return { steps: [], next_cursor: null }
  const filter = { plan_id: run.plan_id }
  const { items, next_cursor } = await listRecords(tx, 'task', { filter, sort: 'wave', limit, cursor })
  const ids = items.map(({ id }) => id)
  const invocations = await invocationsOfTasks(tx, ids)
  return { steps: items.map((task) => stepForClient(task, invocations)), next_cursor }
}
