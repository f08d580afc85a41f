import { sql } from 'kysely'
import { inMs, type RecordOf, updateRecord } from '../data/index.ts'
import type { Tx } from '../db/index.ts'
import type { PlanRecord } from './types.ts'

export type RunRecord = RecordOf<'run'>

const RUN_STATUS = {
  draft: 'queued',
  validated: 'queued',
  executing: 'running',
  paused: 'waiting',
  completed: 'succeeded',
  failed: 'failed',
  cancelled: 'cancelled',
} as const satisfies Record<PlanRecord['status'], RunRecord['status']>

const ENDED: readonly string[] = ['succeeded', 'failed', 'cancelled']

/** The run of a plan; undefined before the first run_plan. */
export async function planRun(tx: Tx, planId: string): Promise<RunRecord | undefined> {
  const { rows } = await sql<RunRecord>`
    select * from core.runs where plan_id = ${planId} and kind = 'plan' and deleted_at is null
    order by created_at desc limit 1`.execute(tx)
  return rows[0]
}

/** Lets a plan's run follow its status, in the transaction that changes it; `end` is kept once the run is over. */
export async function followPlan(
  tx: Tx,
  planId: string,
  planStatus: PlanRecord['status'],
  end: { output?: unknown; error?: Record<string, unknown> | null } = {},
): Promise<void> {
  const run = await planRun(tx, planId)
  const status = RUN_STATUS[planStatus]
  if (run === undefined || run.status === status || ENDED.includes(run.status)) return
  if (!ENDED.includes(status)) return void (await updateRecord(tx, 'run', run.id, { status }))
  const { output = null, error = null } = end
  if (run.status === 'waiting' && status !== 'cancelled') await updateRecord(tx, 'run', run.id, { status: 'running' })
  await updateRecord(tx, 'run', run.id, { status, output, error, finished_at: inMs(0) })
}
