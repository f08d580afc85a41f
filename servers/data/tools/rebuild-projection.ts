import { catchUpProjection, projectionNamed, rebuildProjection } from '@story-portal/shared/events'
import { defineTool } from '@story-portal/shared/mcp'
import { z } from 'zod'

export default defineTool({
  name: 'rebuild_projection',
  description: 'Computes a projection again from the log: activity (events per day and type).',
  effect: 'update',
  transaction: false,
  idempotent: true,
  input: { projection: z.string().max(100).describe('Name') },
  output: { events: z.int(), position: z.string() },
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
