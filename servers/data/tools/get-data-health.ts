import { listActivity, missingIndexes, slowQueries, tableSizes } from '@story-portal/shared/data'
import { projectionLag } from '@story-portal/shared/events'
import { defineTool } from '@story-portal/shared/mcp'
import { z } from 'zod'
import { Fields } from '../schema.ts'

export default defineTool({
  name: 'get_data_health',
  description: 'Returns figures of the database: migrations, pool, slow queries, missing indexes, tables.',
  effect: 'read',
  transaction: false,
  input: {},
  output: { ok: z.boolean(), database: Fields, migrations: Fields, tables: z.array(Fields) },
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
