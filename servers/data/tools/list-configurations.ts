import { listRecords } from '@story-portal/shared/data'
import { defineTool } from '@story-portal/shared/mcp'
import { z } from 'zod'
import { compact } from '../compact.ts'
import { Cursor, Fields, Limit, NextCursor } from '../schema.ts'

export default defineTool({
  name: 'list_configurations',
  description: 'Lists configurations by key. For long values and schemas, call get_configuration.',
  effect: 'read',
  input: {
    prefix: z.string().max(200).optional().describe('Start of the key'),
    query: z.string().max(500).optional().describe('Words'),
    limit: Limit,
    cursor: Cursor.optional(),
  },
  output: { items: z.array(Fields), next_cursor: NextCursor },
  async run({ prefix, query, limit, cursor }, { tx }) {
    // U+FFFF sorts after every character a key may have.
    const filter = prefix === undefined ? {} : { key: { gte: prefix, lt: `${prefix}\uffff` } }
    const page = await listRecords(tx, 'configuration', { filter, query, sort: 'key', limit, cursor })
    return { ...page, items: page.items.map((one) => ({ ...compact(one), key: one.key, version: one.version })) }
  },
})
