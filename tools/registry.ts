import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { rootDir } from './launch.js'

/** One tool as its server publishes it: the element of `tools/list`. */
export interface CommittedTool {
  name: string
  title?: string
  description: string
  inputSchema: JsonSchema
  outputSchema?: JsonSchema
  annotations?: Record<string, unknown>
  [more: string]: unknown
}

export interface JsonSchema {
  type?: string | string[]
  properties?: Record<string, JsonSchema>
  required?: string[]
  items?: JsonSchema
  enum?: unknown[]
  description?: string
  [more: string]: unknown
}

/** servers/<name>/tools.json: what a server is, without loading any of its code. */
export interface CommittedServer {
  name: string
  version: string
  title: string
  layer: string
  port: number
  summary: string
  instructions: string
  tools: CommittedTool[]
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
