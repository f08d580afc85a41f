// Started by tests as a client starts a server: the fixture server on stdin and stdout, with a database of its own in memory.
import { localUser } from '../auth/index.ts'
import { memoryServices } from '../cache/index.ts'
import { createJobs } from '../jobs/index.ts'
import { createHost, localBackend, serveStdio } from '../mcp/index.ts'
import { createLogger } from '../telemetry/index.ts'
import { testDatabase } from './database.ts'
import { fixtureServer } from './fixture-server.ts'

const log = createLogger({ name: 'fixture', level: 'debug' })
const db = await testDatabase()
const server = fixtureServer()
const config = db.config
const host = await createHost({
  config,
  servers: [server],
  db,
  services: await memoryServices(log),
  jobs: await createJobs({ db, log }),
  log,
})
const caller = localUser({ surface: 'stdio', name: 'unknown', cwd: process.cwd() })
const handle = serveStdio(localBackend(host, server), { caller, log, maxBytes: config.mcp.maxBodyBytes })
await handle.closed
await host.close()
