import { catchUpProjection, projectionNamed, rebuildProjection } from '@story-portal/shared/events'
import { defineTool } from '@story-portal/shared/mcp'
import { z } from 'zod'

export default defineTool({
  name: 'rebuild_projection',
  description:
    'Computes the tables of a projection again from the event log, beside the live ones, and swaps them in at once. Known projections: activity (events per day and type).',
  effect: 'update',
  transaction: false,
  idempotent: true,
  input: { projection: z.string().min(1).max(100).describe('Name, for example activity') },
  output: { projection: z.string(), events: z.int(), position: z.string() },
  async run({ projection: name }, ctx) {
    const projection = projectionNamed(name)
    // What is in the log now shall be in the result, also where no worker keeps the projection level.
    await catchUpProjection(ctx.host.db, projection)
    const rebuilt = await rebuildProjection(ctx.db.tx.bind(ctx.db), projection, {
      signal: ctx.signal,
      onProgress: (events) => ctx.progress({ progress: events, message: `${events} events` }),
    })
    return { projection: name, ...rebuilt }
  },
})
