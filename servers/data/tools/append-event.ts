import { appendEvents, assertStorable, toCloudEvent } from '@story-portal/shared/events'
import { defineTool } from '@story-portal/shared/mcp'
import { z } from 'zod'
import { assertOwnStream, assertOwnType } from '../event-names.ts'
import { EventResult, ExpectedVersion } from '../schema.ts'

export default defineTool({
  name: 'append_event',
  description: 'Appends an event to a stream of your own. For a change of a record, call update_record.',
  effect: 'create',
  input: {
    stream: z.string().max(400).describe('Such as build/42'),
    type: z.string().max(400).describe('Such as build.finished'),
    data: z.unknown().describe('Any JSON'),
    expected_version: ExpectedVersion.optional(),
    time: z.iso.datetime({ offset: true }).optional().describe('If not now'),
  },
  output: { event: EventResult },
  async run({ data = null, ...given }, { tx }) {
    assertOwnStream(given.stream)
    assertOwnType(given.type)
    assertStorable({ data }, '')
    const { time, expected_version, ...rest } = given
    const [event] = await appendEvents(tx, [
      {
        ...rest,
        data,
        ...(time === undefined ? {} : { time }),
        ...(expected_version === undefined ? {} : { expected_version }),
      },
    ])
    if (!event) throw new Error('the event was not appended')
    return { event: toCloudEvent(event) }
  },
})
