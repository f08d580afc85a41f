import { localUser } from '@story-portal/shared/auth'
import { memoryServices } from '@story-portal/shared/cache'
import { createJobs } from '@story-portal/shared/jobs'
import { createHost, loadServer } from '@story-portal/shared/mcp'
import { silentLog, testConfig } from '../../shared/testing/test-config.ts'
import { type BenchDatabase, benchDatabase } from './bench-database.ts'
import type { BenchmarkContext } from './benchmark.ts'

export interface ContextServer extends BenchDatabase {
  call(tool: string, args: object): Promise<Record<string, unknown>>
}

/** A context-orchestrator of its own; its tools are called through the whole pipeline, without a line in between. */
export async function contextServer(context: BenchmarkContext, mode: 'postgres' | 'embedded'): Promise<ContextServer> {
  const database = await benchDatabase(context, mode)
  const { db, scope } = database
  const host = await createHost({
    config: testConfig(),
    servers: [await loadServer(new URL('../../servers/context-orchestrator/', import.meta.url))],
    db,
    services: await memoryServices(silentLog),
    jobs: await createJobs({ db, log: silentLog }),
    log: silentLog,
  })
  context.defer(() => host.close())
  const caller = { ...localUser({ surface: 'internal', name: 'bench' }), tenant_id: scope.tenant_id }
  return { ...database, call: (tool, args) => host.call('context-orchestrator', tool, args, { caller }) }
}
