import { listRecords } from '@story-portal/shared/data'
import { defineTool } from '@story-portal/shared/mcp'
import { z } from 'zod'
import { given } from '../given.ts'
import { Cursor, GoalId, Limit, NextCursor, Plan, PlanStatus } from '../schema.ts'

export default defineTool({
  name: 'list_plans',
  description: 'Lists plans, the latest first, by goal or status. For tasks and progress of one, call get_plan.',
  effect: 'read',
  input: { goal_id: GoalId.optional(), status: PlanStatus.optional(), limit: Limit, cursor: Cursor.optional() },
  output: { items: z.array(Plan), next_cursor: NextCursor },
  async run({ goal_id, status, limit, cursor }, { tx }) {
    const filter = given({ goal_id, status })
    const page = await listRecords(tx, 'plan', { filter, sort: '-created_at', limit, ...given({ cursor }) })
    const items = page.items.map((plan) => {
      const { id, name, revision, revises_plan_id, strategy, tasks_total, error } = plan
      const { created_at, started_at, paused_at, finished_at } = plan
      const when = { created_at, started_at, paused_at, finished_at }
      return {
        id,
        goal_id: plan.goal_id,
        name,
        status: plan.status,
        revision,
        revises_plan_id,
        strategy,
        tasks_total,
        error,
        ...when,
      }
    })
    return { items, next_cursor: page.next_cursor }
  },
})
