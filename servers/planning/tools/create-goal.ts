import { createRecord } from '@story-portal/shared/data'
import { defineTool } from '@story-portal/shared/mcp'
import { given } from '../given.ts'
import { CompletesWith, Constraints, Description, Goal, Labels, Title } from '../schema.ts'

export default defineTool({
  name: 'create_goal',
  description:
    'Creates a goal: what is to be reached and under which constraints. Next, call create_plan for the way to it.',
  effect: 'create',
  input: {
    title: Title,
    description: Description.optional(),
    constraints: Constraints.optional(),
    completes_with: CompletesWith.optional(),
    labels: Labels.optional(),
  },
  output: { goal: Goal },
  async run({ title, ...rest }, { tx }) {
    return { goal: await createRecord(tx, 'goal', { ...given(rest), title }) }
  },
})
