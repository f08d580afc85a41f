import { readdirSync, readFileSync, rmSync } from 'node:fs'
import path from 'node:path'
import type { Config } from '@story-portal/shared/config'
import { type CommittedServer, committedServers } from '../registry.ts'
import type { Fingerprint } from './fingerprint.ts'
import { homeFiles } from './home.ts'
import { isAlive } from './processes.ts'

/** `<home>/run/platform.json`: written by `up` once every server was ready, removed by `down`. */
export interface PlatformFile {
  mode: Config['mode']
  home: string
  host: string
  port_base: number
  started_at: string
  fingerprint: Fingerprint
}

export type ServerState = 'ready' | 'starting' | 'failed'

export interface ServerStatus {
  name: string
  port: number
  url: string
  version: string
  state: ServerState
  tools: number
}

export interface PlatformStatus {
  mode: Config['mode']
  home: string
  version: string
  servers: ServerStatus[]
}

const DEFAULT_PORT_BASE = 8000

/** What a health endpoint says of itself. */
interface Health {
  answered: boolean
  ready: boolean
  version?: string
  home?: string
  reasons: string[]
}

export function readPlatformFile(home: string): PlatformFile | undefined {
  try {
    return JSON.parse(readFileSync(homeFiles(home).platform, 'utf8')) as PlatformFile
  } catch {
    return undefined
  }
}

/** An address one can connect to: a wildcard bind is reached over loopback. */
export function reachableHost(host: string): string {
  if (host === '0.0.0.0' || host === '') return '127.0.0.1'
  if (host === '::') return '[::1]'
  return host.includes(':') ? `[${host}]` : host
}

export function serverUrl(config: Config, server: CommittedServer): string {
  return config.urls[server.name] ?? `http://${reachableHost(config.host)}:${config.portBase + server.port}`
}

/**
 * The configuration with the port base of the platform that runs on this home, when nobody named one explicitly: a platform
 * started on other ports is found by every later command and by editors that know nothing of it.
 */
export function adoptRunningBase(config: Config, env: NodeJS.ProcessEnv): Config {
  const running = readPlatformFile(config.home)
  const said = Boolean(env['STORY_PORTAL_PORT_BASE']) || config.portBase !== DEFAULT_PORT_BASE
  return running && !said ? { ...config, portBase: running.port_base } : config
}

export async function probe(url: string, timeoutMs = 2_000): Promise<Health> {
  try {
    const response = await fetch(`${url}/health/ready`, { signal: AbortSignal.timeout(timeoutMs) })
    const body = (await response.json()) as Partial<Health>
    return {
      answered: true,
      ready: response.ok,
      reasons: Array.isArray(body.reasons) ? body.reasons.map(String) : [],
      ...(typeof body.version === 'string' ? { version: body.version } : {}),
      ...(typeof body.home === 'string' ? { home: body.home } : {}),
    }
  } catch {
    return { answered: false, ready: false, reasons: [] }
  }
}

/** Asks every server; `starting` means its process lives and has not failed, `failed` that nothing answers. */
export async function platformStatus(config: Config, version: string): Promise<PlatformStatus & { reasons: string[] }> {
  const processes = runningProcesses(config.home)
  const probed = await Promise.all(
    committedServers().map(async (server) => {
      const url = serverUrl(config, server)
      const health = await probe(url)
      const ours = health.answered && (health.home === undefined || health.home === config.home)
      const hosted = processes.some((entry) => entry.servers.includes(server.name))
      const state: ServerState = ours && health.ready ? 'ready' : hosted ? 'starting' : 'failed'
      const row: ServerStatus = {
        name: server.name,
        port: Number(new URL(url).port),
        url: `${url}/mcp`,
        version: health.version ?? server.version,
        state,
        tools: server.tools.length,
      }
      return { row, reasons: health.reasons }
    }),
  )
  return {
    mode: config.mode,
    home: config.home,
    version,
    servers: probed.map(({ row }) => row),
    reasons: [...new Set(probed.flatMap(({ reasons }) => reasons))],
  }
}

/** `<home>/run/processes/<name>-<pid>.json`, written by every platform process for as long as it lives. */
export interface ProcessEntry {
  name: string
  pid: number
  servers: string[]
  started_at: string
}

/** The platform processes of a home that live; entries of killed ones are cleared away. */
export function runningProcesses(home: string): ProcessEntry[] {
  return readEntries<ProcessEntry>(homeFiles(home).processes).flatMap(({ file, entry }) => {
    if (isAlive(entry.pid)) return [entry]
    rmSync(file, { force: true })
    return []
  })
}

/** `<home>/run/failures/<name>.json`: why a process could not start, in words for people. */
export interface FailureEntry {
  name: string
  at: string
  exit_code: number
  message: string
  hint: string
}

export function failuresSince(home: string, since: number): FailureEntry[] {
  return readEntries<FailureEntry>(homeFiles(home).failures)
    .map(({ entry }) => entry)
    .filter((entry) => Date.parse(entry.at) >= since)
}

function readEntries<T>(folder: string): { file: string; entry: T }[] {
  try {
    return readdirSync(folder)
      .filter((name) => name.endsWith('.json'))
      .flatMap((name) => {
        const file = path.join(folder, name)
        try {
          return [{ file, entry: JSON.parse(readFileSync(file, 'utf8')) as T }]
        } catch {
          return []
        }
      })
  } catch {
    return []
  }
}
