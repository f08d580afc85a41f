import { type KindName, kindOf, refuseManagedKind, restoreRecord } from '@story-portal/shared/data'
import { assertStorable } from '@story-portal/shared/events'
import { defineTool } from '@story-portal/shared/mcp'
import { Fields, KindInput, RecordId } from '../schema.ts'

export default defineTool({
  name: 'restore_record',
  description: 'Brings a deleted record back. To find one, call list_records.',
  effect: 'update',
  input: {
    kind: KindInput,
    id: RecordId,
  },
  output: { record: Fields },
  async run({ kind, id }, { tx }) {
    assertStorable(id, 'id')
    refuseManagedKind(kindOf(kind), 'restored')
    return { record: await restoreRecord(tx, kind as KindName, id) }
  },
})
