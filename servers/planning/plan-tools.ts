import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type PlanDefinitionInput, registeredTools, type ToolLookup } from '@story-portal/shared/engine'
import { type LoadedServer, type ToolDefinition, type TxContext, toolDefinitions } from '@story-portal/shared/mcp'

const SERVER_TOOL = /^([a-z][a-z0-9_-]*)\.([a-z][a-z0-9_]*)$/

/** Finds what a task's `tool` names: `server.tool` is a tool of the platform, anything else a registered one. */
export async function toolLookup(ctx: TxContext, definition: PlanDefinitionInput): Promise<ToolLookup> {
  const registered = await registeredTools(ctx.tx, definition)
  return (name, version) => {
    if (!serverTool(name)) return registered(name, version)
    return platformTool(ctx, name) ? { name, version: version ?? '*' } : undefined
  }
}

/** The definition of the tool that `server.tool` names. */
export function platformTool(ctx: TxContext, name: string): ToolDefinition | undefined {
  const named = serverTool(name)
  return named && platformTools(ctx, named.server).get(named.tool)
}

/** The two halves of `server.tool`; in a plan, as in code, the server's name may be written with `_` for `-`. */
export function serverTool(name: string): { server: string; tool: string } | undefined {
  const [, server, tool] = SERVER_TOOL.exec(name) ?? []
  return server === undefined || tool === undefined ? undefined : { server: server.replaceAll('_', '-'), tool }
}

type Tools = ReadonlyMap<string, ToolDefinition>

const hosted = new WeakMap<LoadedServer, Tools>()
const read = new Map<string, Tools>()

/** The tools of a server hosted here, or else of its committed tools.json: in distributed mode other processes host it. */
function platformTools(ctx: TxContext, name: string): Tools {
  const server = ctx.host.servers.get(name)
  if (!server) return committedTools(join(ctx.config.root, 'servers', name, 'tools.json'))
  const known = hosted.get(server) ?? byName(toolDefinitions(server))
  hosted.set(server, known)
  return known
}

/** Read in place of asking the server: this runs inside a transaction, which awaits nothing but its own SQL. */
function committedTools(file: string): Tools {
  const known = read.get(file)
  if (known) return known
  const { tools } = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Manifest) : { tools: [] }
  const made = byName(tools)
  if (made.size > 0) read.set(file, made)
  return made
}

interface Manifest {
  tools: ToolDefinition[]
}

function byName(tools: readonly ToolDefinition[]): Tools {
  return new Map(tools.map((tool) => [tool.name, tool]))
}
