import { createRecord } from '@story-portal/shared/data'
import { defineTool } from '@story-portal/shared/mcp'
import { given } from '../given.ts'
import { CompletesWith, Description, Goal, Json, Title } from '../schema.ts'

export default defineTool({
  name: 'create_goal',
  description: 'Creates a goal. For the way to it, call create_plan.',
  effect: 'create',
  input: {
    title: Title,
    description: Description.optional(),
    constraints: Json.optional(),
    completes_with: CompletesWith.optional(),
  },
  output: { goal: Goal },
  async run({ title, ...rest }, { tx }) {
    return { goal: await createRecord(tx, 'goal', { ...given(rest), title }) }
  },
})
