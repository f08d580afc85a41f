import { defineTool } from '@story-portal/shared/mcp'
import { z } from 'zod'
import { given } from '../given.ts'
import { changeGoal } from '../goal.ts'
import { CompletesWith, Constraints, Description, Goal, GoalId, GoalStatus, Labels, Reason, Title } from '../schema.ts'

export default defineTool({
  name: 'update_goal',
  description:
    'Changes a goal, or ends it by status completed, failed or cancelled. A goal with an open plan can not be ended: call cancel_plan first.',
  effect: 'update',
  input: {
    goal_id: GoalId,
    title: Title.optional(),
    description: Description.optional(),
    constraints: Constraints.optional(),
    completes_with: CompletesWith.optional(),
    labels: Labels.optional(),
    status: GoalStatus.exclude(['pending']).optional(),
    result: z.unknown().describe('What was reached; any JSON').optional(),
    expected_version: z.int().min(1).describe('Refuse when the goal has another version').optional(),
    reason: Reason.optional(),
  },
  output: { goal: Goal },
  async run({ goal_id, expected_version, reason, ...changes }, { tx }) {
    return { goal: await changeGoal(tx, goal_id, given(changes), given({ expected_version, reason })) }
  },
})
