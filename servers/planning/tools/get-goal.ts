import { listRecords } from '@story-portal/shared/data'
import { defineTool } from '@story-portal/shared/mcp'
import { goalOf } from '../goal.ts'
import { Goal, GoalId } from '../schema.ts'
import { LARGE } from '../view.ts'

const PLANS = 50

export default defineTool({
  name: 'get_goal',
  description: 'Returns a goal with its plans. To find one, call list_goals.',
  effect: 'read',
  input: { goal_id: GoalId },
  output: { goal: Goal },
  async run({ goal_id }, { tx }) {
    const goal = await goalOf(tx, goal_id)
    const { items } = await listRecords(tx, 'plan', {
      filter: { goal_id },
      sort: '-created_at',
      limit: PLANS,
      omit: LARGE,
    })
    const plans = items.map(({ id, name, revision, status, tasks_total, created_at, finished_at }) => ({
      ...{ id, name, revision, status, tasks_total, created_at, finished_at },
    }))
    return { goal, plans }
  },
})
