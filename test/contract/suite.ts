import { pathToFileURL } from 'node:url'
import { type LoadedServer, loadServer, type ToolDefinition, toolDefinitions } from '@story-portal/shared/mcp'
import { rootDir } from '../../tools/launch.js'
import { serverFolders } from '../../tools/registry.ts'

/** Every server there is: the suite is what lies in servers/. */
export const servers: LoadedServer[] = await Promise.all(
  serverFolders().map((name) => loadServer(pathToFileURL(`${rootDir}/servers/${name}`))),
)

export interface SuiteTool {
  /** `planning create_plan`: how a failing test names it. */
  title: string
  server: LoadedServer
  definition: ToolDefinition
}

/** Every tool of every server. */
export const tools: SuiteTool[] = servers.flatMap((server) =>
  toolDefinitions(server).map((definition) => ({ title: `${server.name} ${definition.name}`, server, definition })),
)

/** As sent to a client. */
export function bytesOf(value: unknown): number {
  return Buffer.byteLength(JSON.stringify(value))
}
