import { type KindName, listRecords } from '@story-portal/shared/data'
import { defineTool } from '@story-portal/shared/mcp'
import { z } from 'zod'
import { compact } from '../compact.ts'
import { Cursor, Fields, IncludeDeleted, KindInput, Limit, NextCursor } from '../schema.ts'

export default defineTool({
  name: 'list_records',
  description: 'Lists records of a kind, compact. For one whole record, call get_record.',
  effect: 'read',
  input: {
    kind: KindInput,
    filter: Fields.optional().describe(
      '{field: value, list, null or {eq ne in gt gte lt lte contains is_null: value}}',
    ),
    query: z.string().max(500).optional().describe('Words, "exact words", -without'),
    sort: z.string().max(100).optional().describe('field or -field'),
    limit: Limit,
    cursor: Cursor.optional(),
    include_deleted: IncludeDeleted,
  },
  output: { items: z.array(Fields), next_cursor: NextCursor },
  async run({ kind, include_deleted, ...options }, { tx }) {
    const page = await listRecords(tx, kind as KindName, { ...options, includeDeleted: include_deleted ?? false })
    return {
      ...page,
      items: page.items.map((record) => ({ ...compact(record), id: record.id, version: record.version })),
    }
  },
})
