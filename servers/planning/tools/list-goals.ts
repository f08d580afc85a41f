import { listRecords } from '@story-portal/shared/data'
import { defineTool } from '@story-portal/shared/mcp'
import { z } from 'zod'
import { given } from '../given.ts'
import { Cursor, Goal, GoalStatus, Limit, NextCursor } from '../schema.ts'

export default defineTool({
  name: 'list_goals',
  description:
    'Lists goals, the latest first, by status or by words in title and description. For one with its plans, call get_goal.',
  effect: 'read',
  input: {
    status: GoalStatus.optional(),
    query: z.string().min(1).max(500).describe('Words to look for').optional(),
    limit: Limit,
    cursor: Cursor.optional(),
  },
  output: { items: z.array(Goal), next_cursor: NextCursor },
  async run({ status, query, limit, cursor }, { tx }) {
    const filter = given({ status })
    return listRecords(tx, 'goal', { filter, sort: '-created_at', limit, ...given({ query, cursor }) })
  },
})
