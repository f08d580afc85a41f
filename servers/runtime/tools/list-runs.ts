import { listRecords } from '@story-portal/shared/data'
import { defineTool } from '@story-portal/shared/mcp'
import { z } from 'zod'
import { Cursor, Limit, Run, RunKind, RunStatus } from '../schema.ts'
import { runForClient } from '../view.ts'

export default defineTool({
  name: 'list_runs',
  description:
    'Lists runs, the latest first, by kind, status, plan or goal. For steps, cost and timeline of one, call get_run.',
  effect: 'read',
  input: {
    kind: RunKind.optional(),
    status: RunStatus.optional(),
    plan_id: z.string().max(64).describe('Runs of this plan').optional(),
    goal_id: z.string().max(64).describe('Runs for this goal').optional(),
    limit: Limit,
    cursor: Cursor.optional(),
  },
  output: { items: z.array(Run), next_cursor: z.string().nullable() },
  async run({ limit, cursor, ...fields }, { tx }) {
    const filter = Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined))
    const { items, next_cursor } = await listRecords(tx, 'run', { filter, sort: '-created_at', limit, cursor })
    return { items: items.map(runForClient), next_cursor }
  },
})
