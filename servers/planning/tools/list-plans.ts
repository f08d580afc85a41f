import { listRecords } from '@story-portal/shared/data'
import { defineTool } from '@story-portal/shared/mcp'
import { given } from '../given.ts'
import { Cursor, GoalId, Limit, List, StatusOfPlan } from '../schema.ts'
import { LARGE } from '../view.ts'

export default defineTool({
  name: 'list_plans',
  description: 'Lists plans, latest first. For the tasks of one, call get_plan.',
  effect: 'read',
  input: { goal_id: GoalId.optional(), status: StatusOfPlan.optional(), limit: Limit, cursor: Cursor.optional() },
  output: { items: List },
  async run({ goal_id, status, limit, cursor }, { tx }) {
    const filter = given({ goal_id, status })
    const page = await listRecords(tx, 'plan', {
      filter,
      sort: '-created_at',
      limit,
      omit: LARGE,
      ...given({ cursor }),
    })
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
