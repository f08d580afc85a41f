import { appendEvents, assertStorable, toCloudEvent } from '@story-portal/shared/events'
import { defineTool } from '@story-portal/shared/mcp'
import { z } from 'zod'
import { assertOwnStream, assertOwnType } from '../event-names.ts'
import { EventResult, ExpectedVersion } from '../schema.ts'

export default defineTool({
  name: 'append_event',
  description:
    'Appends an event of your own to a stream of your own and returns it in its CloudEvents envelope. Changes of records write their events themselves: use update_record.',
  effect: 'create',
  input: {
    stream: z.string().min(1).max(400).describe('Versions count per stream, for example build/42'),
    type: z.string().min(1).max(400).describe('What happened, for example build.finished'),
    data: z.unknown().describe('Any JSON'),
    expected_version: ExpectedVersion.optional().describe(
      'Refuses when the stream is at another version; 0: must be new',
    ),
    subject: z
      .string()
      .min(1)
      .max(400)
      .optional()
      .describe('What it is about; default: the stream after its first slash'),
    time: z.iso.datetime({ offset: true }).optional().describe('When it happened, if not now'),
    schema_version: z.int().min(1).max(1000).default(1).describe('Version of the shape of data'),
  },
  output: { event: EventResult },
  async run({ data = null, ...given }, { tx }) {
    assertOwnStream(given.stream)
    assertOwnType(given.type)
    assertStorable({ data, subject: given.subject }, '')
    const { subject, time, expected_version, ...rest } = given
    const [event] = await appendEvents(tx, [
      {
        ...rest,
        data,
        ...(subject === undefined ? {} : { subject }),
        ...(time === undefined ? {} : { time }),
        ...(expected_version === undefined ? {} : { expected_version }),
      },
    ])
    if (!event) throw new Error('the event was not appended')
    return { event: toCloudEvent(event) }
  },
})
