import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import type { ServerManifest } from '@story-portal/shared/mcp'
import { rootDir } from './launch.js'

/** servers/<name>/tools.json: what a server is, without loading any of its code. */
export type CommittedServer = ServerManifest

/**
 * What each server of the suite adds to the port base, whether its folder is here yet or not: the addresses of those to come
 * are kept for them. A server of anybody's own gets a number from 15 to 99.
 */
export const SUITE_PORTS: Readonly<Record<string, number>> = {
  data: 1,
  runtime: 2,
  'tool-execution': 3,
  'model-gateway': 4,
  planning: 5,
  evaluation: 6,
  learning: 7,
  supervision: 8,
  'api-gateway': 9,
  'human-interface': 10,
  integration: 11,
  'service-hub': 12,
  'document-consolidator': 13,
  'context-orchestrator': 14,
}
export const FIRST_OWN_PORT = 15
export const LAST_PORT = 99

/** The highest number that a server here adds to the port base, at least that of the suite. */
export function highestPort(): number {
  return Math.max(...Object.values(SUITE_PORTS), ...committedServers().map(({ port }) => port))
}

/** Every folder of servers/, by port. A folder whose tools.json was not generated yet is left out. */
export function committedServers(root: string = rootDir): CommittedServer[] {
  return serverFolders(root)
    .flatMap((name) => committedServer(name, root) ?? [])
    .sort((a, b) => a.port - b.port)
}

export function committedServer(name: string, root: string = rootDir): CommittedServer | undefined {
  if (!serverFolders(root).includes(name)) return undefined
  try {
    return JSON.parse(readFileSync(path.join(root, 'servers', name, 'tools.json'), 'utf8')) as CommittedServer
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

/** Names of the folders that are servers: those with a server.ts. */
export function serverFolders(root: string = rootDir): string[] {
  const folder = path.join(root, 'servers')
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && hasFile(path.join(folder, entry.name), 'server.ts'))
    .map((entry) => entry.name)
    .sort()
}

function hasFile(folder: string, name: string): boolean {
  return readdirSync(folder).includes(name)
}
