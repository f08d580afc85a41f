import { listActivity, missingIndexes, slowQueries, tableSizes } from '@story-portal/shared/data'
import { projectionLag } from '@story-portal/shared/events'
import { defineTool } from '@story-portal/shared/mcp'
import { z } from 'zod'

export default defineTool({
  name: 'get_data_health',
  description:
    'Returns figures of the database as this process sees it: connection, migrations, pgvector, pool, slow queries, missing indexes, table sizes, projections. For other servers, call list_layers.',
  effect: 'read',
  transaction: false,
  input: {},
  output: {
    ok: z.boolean(),
    database: z.looseObject({
      mode: z.string(),
      server_version: z.string(),
      latency_ms: z.number(),
      pgvector: z.string().nullable(),
    }),
    pool: z.looseObject({ size: z.int(), idle: z.int(), waiting: z.int() }),
    migrations: z.looseObject({ applied: z.int(), pending: z.array(z.string()) }),
    slow_queries: z.looseObject({ source: z.string(), items: z.array(z.looseObject({ query: z.string() })) }),
    missing_indexes: z.array(z.looseObject({ table: z.string() })),
    tables: z.array(z.looseObject({ table: z.string(), rows: z.int(), bytes: z.int() })),
    projections: z.array(z.looseObject({ name: z.string(), position: z.string(), behind: z.int() })),
    activity: z.array(z.looseObject({ day: z.string(), type: z.string(), events: z.int() })),
  },
  async run(_args, ctx) {
    const health = await ctx.host.db.health()
    const { ok, mode, server_version, latency_ms, pgvector, pool, migrations } = health
    const figures = await ctx.db.read(async (tx) => ({
      slow_queries: await slowQueries(tx),
      missing_indexes: await missingIndexes(tx),
      tables: await tableSizes(tx),
      projections: await projectionLag(tx),
      activity: await listActivity(tx, 20),
    }))
    return { ok, database: { mode, server_version, latency_ms, pgvector }, pool, migrations, ...figures }
  },
})
