import { errors } from '../errors/index.ts'
import { createResilience } from '../resilience/index.ts'
import type { ToolBackend } from './backend.ts'
import type { OtherServers } from './create-host.ts'
import type { LayerStatus } from './host.ts'
import type { ServerManifest } from './manifest.ts'
import { callWithRetry, type RemoteOptions, serverUrl } from './remote-request.ts'

/** A call that waits for a plan may take an hour, so its deadline limits it, not a policy; and such calls must not fill all places. */
const LIMITS = { timeout_ms: 2 ** 31 - 1, concurrency: 1024, queue: 1024 }

/** Servers in other processes: their definitions from the committed manifests, their tools over HTTP. */
export function remoteServers(options: RemoteOptions): OtherServers {
  const remote = { ...options, resilience: createResilience({ server: LIMITS }) }
  const manifests = new Map(options.manifests.map((manifest) => [manifest.name, manifest]))
  const get = (server: string): ServerManifest => {
    const manifest = manifests.get(server)
    if (!manifest) throw errors.unknownServer({ server })
    return manifest
  }
  return {
    names: () => [...manifests.keys()],
    definitions: async (server) => get(server).tools,
    call: async (server, tool, args, callOptions) => callWithRetry(remote, get(server), tool, args, callOptions),
    status: (server) => statusOf(options, get(server)),
  }
}

/** One remote server as a backend: what the stdio entry relays to. */
export function remoteBackend(servers: OtherServers, manifest: ServerManifest): ToolBackend {
  const names = new Set(manifest.tools.map(({ name }) => name))
  return {
    server: manifest,
    list: () => manifest.tools,
    has: (tool) => names.has(tool),
    call: (tool, args, options) => servers.call(manifest.name, tool, args, options),
    callOther: (server, tool, args, options) => servers.call(server, tool, args, options),
  }
}

async function statusOf(remote: RemoteOptions, manifest: ServerManifest): Promise<LayerStatus> {
  const { name, layer, port, title, summary, version, tools } = manifest
  const url = serverUrl(remote.config, manifest)
  const row = { server: name, layer, port, title, summary, hosted: 'elsewhere' as const, url, tools: tools.length }
  try {
    const response = await fetch(`${url}/health/ready`, { signal: AbortSignal.timeout(2_000), redirect: 'error' })
    const health = (await response.json()) as { version?: string; reasons?: string[] }
    if (response.ok) return { ...row, state: 'ready', version: health.version ?? version }
    return { ...row, state: 'not_ready', version: health.version ?? version, reasons: health.reasons ?? [] }
  } catch {
    return { ...row, state: 'unreachable', version, reasons: ['it does not answer'] }
  }
}
