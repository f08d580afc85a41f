import { assertReferences, createRecord, type KindName, parseNew } from '@story-portal/shared/data'
import { defineTool } from '@story-portal/shared/mcp'
import { Fields, KindInput, Reason, RecordResult } from '../schema.ts'

export default defineTool({
  name: 'create_record',
  description:
    'Creates a record and its first event. Plans, tasks, tools, runs, invocations and configurations have tools of their own, such as create_plan, register_tool, set_configuration.',
  effect: 'create',
  input: { kind: KindInput, data: Fields.describe('Fields of the new record'), reason: Reason.optional() },
  output: { record: RecordResult },
  async run({ kind, data, reason }, { tx }) {
    const name = kind as KindName
    const fields = parseNew(name, data)
    await assertReferences(tx, name, fields, 'data')
    return { record: await createRecord(tx, name, fields, { reason }) }
  },
})
