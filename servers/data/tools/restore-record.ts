import { type KindName, kindOf, refuseManagedKind, restoreRecord } from '@story-portal/shared/data'
import { assertStorable } from '@story-portal/shared/events'
import { defineTool } from '@story-portal/shared/mcp'
import { ExpectedVersion, KindInput, Reason, RecordId, RecordResult } from '../schema.ts'

export default defineTool({
  name: 'restore_record',
  description: 'Brings a deleted record back as it was. To find deleted ones, call list_records with include_deleted.',
  effect: 'update',
  input: {
    kind: KindInput,
    id: RecordId,
    expected_version: ExpectedVersion.optional(),
    reason: Reason.optional(),
  },
  output: { record: RecordResult },
  async run({ kind, id, expected_version, reason }, { tx }) {
    assertStorable(id, 'id')
    refuseManagedKind(kindOf(kind), 'restored')
    return { record: await restoreRecord(tx, kind as KindName, id, { expected_version, reason }) }
  },
})
