import { listRecords } from '@story-portal/shared/data'
import { defineTool } from '@story-portal/shared/mcp'
import { z } from 'zod'
import { given } from '../given.ts'
import { Cursor, Limit, List, StatusOfGoal } from '../schema.ts'

export default defineTool({
  name: 'list_goals',
  description: 'Lists goals, latest first. For one with its plans, call get_goal.',
  effect: 'read',
  input: {
    status: StatusOfGoal.optional(),
    query: z.string().min(1).max(500).describe('Words').optional(),
    limit: Limit,
    cursor: Cursor.optional(),
  },
  output: { items: List },
  async run({ status, query, limit, cursor }, { tx }) {
    const filter = given({ status })
    return listRecords(tx, 'goal', { filter, sort: '-created_at', limit, ...given({ query, cursor }) })
  },
})
