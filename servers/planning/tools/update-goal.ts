import { defineTool } from '@story-portal/shared/mcp'
import { z } from 'zod'
import { given } from '../given.ts'
import { changeGoal } from '../goal.ts'
import { Description, Goal, GoalId, GoalStatus, Json, Reason, Title } from '../schema.ts'

export default defineTool({
  name: 'update_goal',
  description: 'Changes or ends a goal. To end its plan first, call cancel_plan.',
  effect: 'update',
  input: {
    goal_id: GoalId,
    title: Title.optional(),
    description: Description.optional(),
    status: GoalStatus.exclude(['pending']).optional(),
    result: Json.optional(),
    expected_version: z.int().describe('As read').optional(),
    reason: Reason.optional(),
  },
  output: { goal: Goal },
  async run({ goal_id, expected_version, reason, ...changes }, { tx }) {
    return { goal: await changeGoal(tx, goal_id, given(changes), given({ expected_version, reason })) }
  },
})
