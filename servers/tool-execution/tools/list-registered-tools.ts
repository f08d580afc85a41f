import { listRecords } from '@story-portal/shared/data'
import { defineTool } from '@story-portal/shared/mcp'
import { z } from 'zod'
import { shownTool } from '../registered-tools.ts'
import { ShownTool, ToolName } from '../schema.ts'

export default defineTool({
  name: 'list_registered_tools',
  description:
    'Lists versions of registered tools, the latest first, without schemas and source. To look for a purpose, use search_registered_tools.',
  effect: 'read',
  input: {
    tool: ToolName.optional().describe('Only versions of this one'),
    status: z.enum(['active', 'deprecated', 'disabled']).optional(),
    limit: z.int().min(1).max(200).default(50).describe('Most items of one page'),
    cursor: z.string().max(2000).optional().describe('next_cursor of the page before'),
  },
  output: { items: z.array(ShownTool), next_cursor: z.string().nullable() },
  async run({ tool: name, status, limit, cursor }, { tx }) {
    const filter = { ...(name === undefined ? {} : { name }), ...(status === undefined ? {} : { status }) }
    const omit = ['input_schema', 'output_schema', 'source']
    const page = await listRecords(tx, 'tool', { filter, sort: '-created_at', limit, cursor, omit })
    return { items: page.items.map(shownTool), next_cursor: page.next_cursor }
  },
})
