import type { Config } from '@story-portal/shared/config'
import { localBackend, type ServerManifest, type ToolBackend } from '@story-portal/shared/mcp'
import { openHost } from '../host.ts'

/** A server whose tools run in this process. The database is opened meanwhile; the lists don't wait for it. */
export function local(config: Config, manifest: ServerManifest) {
  const opening = open(config, manifest)
  // Told by the calls, each of which waits for it.
  opening.catch(() => undefined)
  const backend: ToolBackend = {
    server: manifest,
    list: () => manifest.tools,
    has: (tool) => manifest.tools.some(({ name }) => name === tool),
    call: async (tool, args, options) => (await opening).backend.call(tool, args, options),
  }
  return { backend, close: async () => (await opening.catch(() => undefined))?.close() }
}

async function open(config: Config, manifest: ServerManifest) {
  // Without its workers: those run under the supervisor, on this machine or another, and outlive a client's session.
  const { host, close } = await openHost(config, {
    name: `stdio-${manifest.name}`,
    servers: [manifest.name],
    migrate: true,
  })
  await host.jobs.start()
  const server = host.servers.get(manifest.name)
  if (!server) throw new Error(`${manifest.name} was not loaded`)
  return { backend: localBackend(host, server), close }
}
