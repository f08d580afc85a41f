import { deleteRecord, type KindName, kindOf, refuseManagedKind } from '@story-portal/shared/data'
import { assertStorable } from '@story-portal/shared/events'
import { defineTool } from '@story-portal/shared/mcp'
import { ExpectedVersion, Fields, KindInput, Reason, RecordId } from '../schema.ts'

export default defineTool({
  name: 'delete_record',
  description: 'Deletes a record, not its history. To bring it back, call restore_record.',
  effect: 'delete',
  input: {
    kind: KindInput,
    id: RecordId,
    expected_version: ExpectedVersion.optional(),
    reason: Reason.optional(),
  },
  output: { record: Fields },
  async run({ kind, id, expected_version, reason }, { tx }) {
    assertStorable(id, 'id')
    refuseManagedKind(kindOf(kind), 'deleted')
    return { record: await deleteRecord(tx, kind as KindName, id, { expected_version, reason }) }
  },
})
