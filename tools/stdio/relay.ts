import { readToken } from '@story-portal/shared/auth'
import type { Config } from '@story-portal/shared/config'
import { errors, isStoryPortalError } from '@story-portal/shared/errors'
import { remoteServers, type ServerManifest, type ToolBackend } from '@story-portal/shared/mcp'
import type { Logger } from '@story-portal/shared/telemetry'
import { homeFiles } from '../cli/home.ts'
import { adoptRunningBase, probe, serverUrl } from '../cli/platform-state.ts'
import { committedServer } from '../registry.ts'
import { startPlatform } from './start-platform.ts'

/** Nothing answered, so nothing ran: the one failure after which the call may be sent again. */
const UNREACHABLE = 'E0912'

/** A server whose tools run in the platform of this home; the platform is looked for now and before a call that finds it gone. */
export function relay(config: Config, manifest: ServerManifest, log: Logger) {
  const platform = () => find(config, manifest, log)
  let servers = platform()
  // A failure is told by the call that needs it.
  servers.catch((error: unknown) => log.warn({ err: error }, 'the platform did not start'))
  const backend: ToolBackend = {
    server: manifest,
    list: () => manifest.tools,
    has: (tool) => manifest.tools.some(({ name }) => name === tool),
    async call(tool, args, options) {
      try {
        return await (await servers).call(manifest.name, tool, args, options)
      } catch (error) {
        if (!isStoryPortalError(error)) throw error
        servers = platform()
        if (error.number !== UNREACHABLE) throw error
        return await (await servers).call(manifest.name, tool, args, options)
      }
    },
    async callOther(server, tool, args, options) {
      const other = committedServer(server)
      if (!other) throw errors.unknownServer({ server })
      return (await find(config, other, log)).call(server, tool, args, options)
    },
  }
  return { backend, close: async () => {} }
}

/** The running platform, started first when nothing answers. */
async function find(config: Config, manifest: ServerManifest, log: Logger) {
  const found = await probe(serverUrl(adoptRunningBase(config, process.env), manifest))
  // Another home on our ports is not ours; `up` says so with the remedy.
  if (!found.answered || (found.home !== undefined && found.home !== config.home)) await startPlatform(log)
  const token = readToken(homeFiles(config.home).token) ?? ''
  return remoteServers({
    config: adoptRunningBase(config, process.env),
    manifests: [manifest],
    credentials: { token },
    log,
  })
}
