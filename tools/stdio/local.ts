import type { Config } from '@story-portal/shared/config'
import { localBackend, type ServerManifest, type ToolBackend } from '@story-portal/shared/mcp'
import type { Logger } from '@story-portal/shared/telemetry'
import { adoptRunningBase, probe, serverUrl } from '../cli/platform-state.ts'
import { openHost } from '../host.ts'
import { startPlatform } from './start-platform.ts'

/** A server whose tools run in this process. The database is opened meanwhile; the lists don't wait for it. */
export function local(config: Config, manifest: ServerManifest, log: Logger) {
  let opening: ReturnType<typeof open> | undefined
  // A database that is away now may be there at the next call.
  const opened = () => {
    opening ??= open(config, manifest, log).catch((error: unknown) => {
      opening = undefined
      throw error
    })
    return opening
  }
  // A failure is told by the call that needs it.
  opened().catch(() => undefined)
  const backend: ToolBackend = {
    server: manifest,
    list: () => manifest.tools,
    has: (tool) => manifest.tools.some(({ name }) => name === tool),
    call: async (tool, args, options) => (await opened()).backend.call(tool, args, options),
    callOther: async (server, tool, args, options) => (await opened()).host.call(server, tool, args, options),
  }
  return { backend, close: async () => (await opening?.catch(() => undefined))?.close() }
}

async function open(config: Config, manifest: ServerManifest, log: Logger) {
  await ensurePlatform(config, manifest, log)
  // Without its workers: those run under the supervisor, on this machine or another, and outlive a client's session.
  const { host, close } = await openHost(config, {
    name: `stdio-${manifest.name}`,
    servers: [manifest.name],
    migrate: true,
  })
  await host.jobs.start()
  const server = host.servers.get(manifest.name)
  if (!server) throw new Error(`${manifest.name} was not loaded`)
  return { host, backend: localBackend(host, server), close }
}

/**
 * Plans are carried out, and other servers answered, by the platform: on this machine, unless the settings name other hosts.
 * What this server can do alone it does without.
 */
async function ensurePlatform(config: Config, manifest: ServerManifest, log: Logger): Promise<void> {
  const elsewhere = Object.keys(config.urls).length > 0
  if (elsewhere || (await probe(serverUrl(adoptRunningBase(config, process.env), manifest))).answered) return
  await startPlatform(log).catch((error: unknown) => log.warn({ err: error }, 'the platform did not start'))
}
