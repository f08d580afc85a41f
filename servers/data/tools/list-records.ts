import { type KindName, listRecords } from '@story-portal/shared/data'
import { defineTool } from '@story-portal/shared/mcp'
import { z } from 'zod'
import { compact } from '../compact.ts'
import { Cursor, Fields, KindInput, Limit, NextCursor } from '../schema.ts'

export default defineTool({
  name: 'list_records',
  description:
    'Lists records of a kind by filter, words and order, page by page; nulls and long values are left out. For one whole record, call get_record.',
  effect: 'read',
  input: {
    kind: KindInput,
    filter: Fields.optional().describe(
      'Field to value, list of values, null, or {eq, ne, in, gt, gte, lt, lte, contains, is_null}: {"status": "active"}',
    ),
    query: z.string().min(1).max(500).optional().describe('Words, "exact words", or, -without'),
    sort: z
      .string()
      .min(1)
      .max(100)
      .optional()
      .describe('Field; - before it: largest first. Default -created_at, best match with query'),
    limit: Limit,
    cursor: Cursor.optional(),
    include_deleted: z.boolean().default(false).describe('Also deleted records'),
  },
  output: { items: z.array(z.looseObject({ id: z.string(), version: z.int() })), next_cursor: NextCursor },
  async run({ kind, include_deleted, ...options }, { tx }) {
    const page = await listRecords(tx, kind as KindName, { ...options, includeDeleted: include_deleted })
    return {
      ...page,
      items: page.items.map((record) => ({ ...compact(record), id: record.id, version: record.version })),
    }
  },
})
