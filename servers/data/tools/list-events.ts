import { cursorKey, openCursor, sealCursor } from '@story-portal/shared/data'
import type { ScopedDb } from '@story-portal/shared/db'
import {
  assertStorable,
  type EventFilter,
  listEvents,
  parsePosition,
  projectedPosition,
  safePosition,
  toCloudEvent,
} from '@story-portal/shared/events'
import { defineTool } from '@story-portal/shared/mcp'
import { z } from 'zod'
import { assertListable } from '../event-names.ts'
import { Cursor, Fields, Limit, NextCursor } from '../schema.ts'

/** Longest wait for transactions that were open when the call came: answers may trail the log, but never skip an event. */
const WAIT_MS = 5000

export default defineTool({
  name: 'list_events',
  description: 'Lists events in log order. To follow the log, send the last position as after_position.',
  effect: 'read',
  transaction: false,
  input: {
    stream: z.string().max(400).optional().describe('Such as build/42'),
    type: z.string().max(400).optional().describe('Such as goal.*'),
    correlation_id: z.string().max(200).optional().describe('Of one call'),
    after_position: z.string().max(64).optional().describe('Only later events'),
    limit: Limit,
    cursor: Cursor.optional(),
  },
  output: { items: z.array(Fields), next_cursor: NextCursor },
  async run({ limit, cursor, ...filter }, ctx) {
    const { stream, type, correlation_id, after_position } = filter
    assertStorable(filter, '')
    if (type !== undefined) assertListable(type)
    if (after_position !== undefined) parsePosition(after_position)
    const context = ['events', ctx.caller.tenant_id, filter]
    // A stream is complete by itself; across streams only what lies below a safe position can be shown.
    const upTo = stream === undefined ? await safe(ctx.db, ctx.signal) : undefined
    return ctx.db.read(async (tx) => {
      const key = await cursorKey(tx)
      const after = cursor === undefined ? after_position : String(openCursor(key, context, cursor))
      const wanted: EventFilter = { stream, type, correlation_id, after, upTo, limit: limit + 1 }
      const found = await listEvents(tx, wanted)
      const items = found.slice(0, limit)
      const last = found.length > limit ? items.at(-1) : undefined
      return { items: items.map(toCloudEvent), next_cursor: last ? sealCursor(key, context, last.position) : null }
    })
  },
})

async function safe(db: ScopedDb, signal: AbortSignal): Promise<string> {
  const run = db.tx.bind(db)
  return (await safePosition(run, WAIT_MS, signal)) ?? (await db.read(projectedPosition))
}
