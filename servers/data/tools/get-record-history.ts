import { cursorKey, getRecord, type KindName, openCursor, recordHistory, sealCursor } from '@story-portal/shared/data'
import { assertStorable } from '@story-portal/shared/events'
import { defineTool } from '@story-portal/shared/mcp'
import { z } from 'zod'
import { Cursor, Fields, KindInput, Limit, NextCursor, RecordId } from '../schema.ts'

export default defineTool({
  name: 'get_record_history',
  description: 'Lists the changes of a record, oldest first: who, when, why, what. For a state, call get_record.',
  effect: 'read',
  input: { kind: KindInput, id: RecordId, limit: Limit, cursor: Cursor.optional() },
  output: { items: z.array(Fields), next_cursor: NextCursor },
  async run({ kind, id, limit, cursor }, { tx, caller }) {
    const name = kind as KindName
    assertStorable(id, 'id')
    await getRecord(tx, name, id, { includeDeleted: true })
    const key = await cursorKey(tx)
    const context = ['history', caller.tenant_id, kind, id]
    const after_version = cursor === undefined ? 0 : Number(openCursor(key, context, cursor))
    const found = await recordHistory(tx, name, id, { after_version, limit: limit + 1 })
    const items = found.slice(0, limit)
    const last = found.length > limit ? items.at(-1) : undefined
    return { items, next_cursor: last ? sealCursor(key, context, last.version) : null }
  },
})
