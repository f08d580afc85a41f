import { assertReferences, createRecord, type KindName, parseNew } from '@story-portal/shared/data'
import { defineTool } from '@story-portal/shared/mcp'
import { Fields, KindInput, Reason } from '../schema.ts'

export default defineTool({
  name: 'create_record',
  description:
    'Creates a goal, agent, session, evaluation or feedback. Other kinds have tools of their own, such as create_plan.',
  effect: 'create',
  input: { kind: KindInput, data: Fields.describe('Its fields'), reason: Reason.optional() },
  output: { record: Fields },
  async run({ kind, data, reason }, { tx }) {
    const name = kind as KindName
    const fields = parseNew(name, data)
    await assertReferences(tx, name, fields, 'data')
    return { record: await createRecord(tx, name, fields, { reason }) }
  },
})
