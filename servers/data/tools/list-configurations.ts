import { listRecords } from '@story-portal/shared/data'
import { defineTool } from '@story-portal/shared/mcp'
import { z } from 'zod'
import { compact } from '../compact.ts'
import { Cursor, Limit, NextCursor } from '../schema.ts'

export default defineTool({
  name: 'list_configurations',
  description:
    'Lists configurations by key with value and version; long values are left out. For one with its schema, call get_configuration.',
  effect: 'read',
  input: {
    prefix: z.string().min(1).max(200).optional().describe('Only keys that begin so, for example planning.'),
    query: z.string().min(1).max(500).optional().describe('Words of key or description'),
    limit: Limit,
    cursor: Cursor.optional(),
  },
  output: { items: z.array(z.looseObject({ key: z.string(), version: z.int() })), next_cursor: NextCursor },
  async run({ prefix, query, limit, cursor }, { tx }) {
    // U+FFFF sorts after every character a key may have.
    const filter = prefix === undefined ? {} : { key: { gte: prefix, lt: `${prefix}\uffff` } }
    const page = await listRecords(tx, 'configuration', { filter, query, sort: 'key', limit, cursor })
    return { ...page, items: page.items.map((one) => ({ ...compact(one), key: one.key, version: one.version })) }
  },
})
