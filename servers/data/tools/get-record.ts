import { getRecord, getRecordAsOf, type KindName } from '@story-portal/shared/data'
import { assertStorable } from '@story-portal/shared/events'
import { defineTool } from '@story-portal/shared/mcp'
import { z } from 'zod'
import { KindInput, RecordId, RecordResult } from '../schema.ts'

export default defineTool({
  name: 'get_record',
  description:
    'Returns one record, now or as it was at a time or event position, rebuilt from its events. To see what changed in between, call get_record_history.',
  effect: 'read',
  input: {
    kind: KindInput,
    id: RecordId,
    as_of: z.string().min(1).max(64).optional().describe('ISO 8601 time, or position of an event'),
    include_deleted: z.boolean().default(false).describe('Also a deleted record'),
  },
  output: { record: RecordResult },
  async run({ kind, id, as_of, include_deleted }, { tx }) {
    const name = kind as KindName
    assertStorable(id, 'id')
    const record =
      as_of === undefined
        ? await getRecord(tx, name, id, { includeDeleted: include_deleted })
        : await getRecordAsOf(tx, name, id, as_of)
    return { record }
  },
})
