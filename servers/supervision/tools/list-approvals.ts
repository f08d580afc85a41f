import { listRecords } from '@story-portal/shared/data'
import { defineTool } from '@story-portal/shared/mcp'
import { z } from 'zod'
import { Approval, shownApproval } from '../schema.ts'

export default defineTool({
  name: 'list_approvals',
  description:
    'Lists calls that a person must allow, the longest waiting first, with their exact arguments. To decide, call decide_approval.',
  effect: 'read',
  input: {
    status: z
      .enum(['pending', 'approved', 'denied', 'expired', 'cancelled'])
      .default('pending')
      .describe('How it stands'),
    tool: z.string().min(1).max(300).optional().describe('Only calls of this tool'),
    invocation_id: z.string().min(1).max(80).optional().describe('Only this call'),
    limit: z.int().min(1).max(200).default(50).describe('Most items of one page'),
    cursor: z.string().max(2000).optional().describe('next_cursor of the page before'),
  },
  output: { items: z.array(Approval), next_cursor: z.string().nullable() },
  async run({ limit, cursor, ...wanted }, { tx }) {
    const filter = Object.fromEntries(Object.entries(wanted).filter(([, value]) => value !== undefined))
    const sort = wanted.status === 'pending' ? 'created_at' : '-created_at'
    const page = await listRecords(tx, 'approval', { filter, sort, limit, cursor })
    return { items: page.items.map(shownApproval), next_cursor: page.next_cursor }
  },
})
