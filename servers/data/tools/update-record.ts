import { assertReferences, type KindName, parseChanges, updateRecord } from '@story-portal/shared/data'
import { assertStorable } from '@story-portal/shared/events'
import { defineTool } from '@story-portal/shared/mcp'
import { ExpectedVersion, Fields, KindInput, Reason, RecordId } from '../schema.ts'

export default defineTool({
  name: 'update_record',
  description: 'Changes fields of a record. States of plans, tasks, runs and invocations change by their own tools.',
  effect: 'update',
  input: {
    kind: KindInput,
    id: RecordId,
    changes: Fields.describe('Fields and their new values'),
    expected_version: ExpectedVersion.optional(),
    reason: Reason.optional(),
  },
  output: { record: Fields },
  async run({ kind, id, changes, expected_version, reason }, { tx }) {
    const name = kind as KindName
    assertStorable(id, 'id')
    const fields = parseChanges(name, changes)
    await assertReferences(tx, name, fields, 'changes')
    return { record: await updateRecord(tx, name, id, fields, { expected_version, reason }) }
  },
})
