import { randomBytes } from 'node:crypto'
import { memoryServices } from '../../shared/cache/index.ts'
import { createJobs } from '../../shared/jobs/index.ts'
import { createHost, serveHttp } from '../../shared/mcp/index.ts'
import { testDatabase } from '../../shared/testing/database.ts'
import { fixtureServer } from '../../shared/testing/fixture-server.ts'
import { silentLog } from '../../shared/testing/test-config.ts'
import { fixtureProtocol } from './fixture-protocol.ts'

/** The fixtures behind the serving code of the products: gate, limits, both eras, front path. In this process, in memory. */
export async function serveFixture(): Promise<{ port: number; token: string; close(): Promise<void> }> {
  const db = await testDatabase()
  const server = fixtureServer()
  const host = await createHost({
    config: db.config,
    servers: [server],
    db,
    services: await memoryServices(silentLog),
    jobs: await createJobs({ db, log: silentLog }),
    log: silentLog,
  })
  const token = randomBytes(16).toString('hex')
  const http = await serveHttp(host, server.name, { port: 0, token, extend: fixtureProtocol })
  return {
    port: http.port,
    token,
    async close() {
      await http.close()
      await host.close()
    },
  }
}
