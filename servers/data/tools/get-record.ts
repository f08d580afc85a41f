import { getRecord, getRecordAsOf, type KindName } from '@story-portal/shared/data'
import { assertStorable } from '@story-portal/shared/events'
import { defineTool } from '@story-portal/shared/mcp'
import { z } from 'zod'
import { Fields, IncludeDeleted, KindInput, RecordId } from '../schema.ts'

export default defineTool({
  name: 'get_record',
  description: 'Returns one record, now or as of a time or event position. For what changed, call get_record_history.',
  effect: 'read',
  input: {
    kind: KindInput,
    id: RecordId,
    as_of: z.string().max(64).optional().describe('ISO 8601 time or event position'),
    include_deleted: IncludeDeleted,
  },
  output: { record: Fields },
  async run({ kind, id, as_of, include_deleted }, { tx }) {
    const name = kind as KindName
    assertStorable(id, 'id')
    const record =
      as_of === undefined
        ? await getRecord(tx, name, id, { includeDeleted: include_deleted ?? false })
        : await getRecordAsOf(tx, name, id, as_of)
    return { record }
  },
})
