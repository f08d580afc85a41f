import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { ensureToken } from '@story-portal/shared/auth'
import { createCacheServices } from '@story-portal/shared/cache'
import { type Config, watchConfig } from '@story-portal/shared/config'
import { migrate, openDatabase } from '@story-portal/shared/db'
import { createJobs } from '@story-portal/shared/jobs'
import { createHost, type Host, loadServer, readManifests, remoteServers, serveHttp } from '@story-portal/shared/mcp'
import { createLogger, type Logger } from '@story-portal/shared/telemetry'
import { assertPortsFree } from './cli/ports.ts'
import { rootDir } from './launch.js'

interface HostWish {
  /** Names the log file and the process. */
  name: string
  servers: readonly string[]
  /** Owns the embedded database, so nobody else can bring it up to date. */
  migrate: boolean
}

export interface OpenHost {
  host: Host
  log: Logger
  /** Serves every hosted server on its port. */
  listen(): Promise<void>
  close(): Promise<void>
}

/** Loads servers and puts everything they share around them. What opened before a failure is closed again. */
export async function openHost(config: Config, wish: HostWish): Promise<OpenHost> {
  const log = createLogger({ name: wish.name, ...config.log })
  const servers = await Promise.all(
    wish.servers.map((name) => loadServer(pathToFileURL(path.join(rootDir, 'servers', name)))),
  )
  const db = await openDatabase(config, { log })
  try {
    if (wish.migrate) await migrate(db)
    const services = await createCacheServices({ config, db, log })
    const jobs = await createJobs({ db, log })
    const host = await createHost({ config, servers, db, services, jobs, log, ...(await others(config, log)) })
    const watcher = watchConfig(
      config,
      { env: process.env, root: rootDir },
      {
        change: ({ changed, restart }) => log.info({ changed, restart }, 'the configuration was read again'),
        error: (error) => log.error({ faults: error.faults }, 'the new configuration is not usable; the old one stays'),
      },
    )
    const listening: { close(): Promise<void> }[] = []
    return {
      host,
      log,
      async listen() {
        const token = ensureToken(path.join(config.home, 'token'))
        for (const { name } of servers) listening.push(await serveHttp(host, name, { token }))
      },
      async close() {
        watcher.stop()
        log.info('shutting down')
        await Promise.all([host.close(), ...listening.map((http) => http.close())])
        log.info('stopped')
      },
    }
  } catch (error) {
    await db.close()
    throw error
  }
}

/**
 * Servers in other processes, spoken to under the platform's own key: the configured one, which several hosts share, else one
 * made for this home.
 */
async function others(config: Config, log: Logger) {
  if (config.mode === 'embedded') return {}
  config.serviceKey ??= ensureToken(path.join(config.home, 'service-key'))
  const credentials = { serviceKey: config.serviceKey }
  return { others: remoteServers({ config, manifests: await readManifests(rootDir), credentials, log }) }
}

/** Opens, listens and starts the jobs: the whole life of a server process up to 'ready'. */
export async function runHost(config: Config, wish: HostWish): Promise<{ close(): Promise<void> }> {
  await assertPortsFree(config, wish.servers)
  const open = await openHost(config, wish)
  try {
    await open.listen()
    await open.host.start()
  } catch (error) {
    await open.close()
    throw error
  }
  const { node } = process.versions
  open.log.info({ servers: wish.servers, mode: config.mode, home: config.home, node }, 'ready')
  return open
}
