import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type PlanDefinitionInput, registeredTools, type ToolLookup } from '@story-portal/shared/engine'
import type { TxContext } from '@story-portal/shared/mcp'

const SERVER_TOOL = /^([a-z][a-z0-9_-]*)\.([a-z][a-z0-9_]*)$/

/** Finds what a task's `tool` names: `server.tool` is a tool of the platform, anything else a registered one. */
export async function toolLookup(ctx: TxContext, definition: PlanDefinitionInput): Promise<ToolLookup> {
  const registered = await registeredTools(ctx.tx, definition)
  return (name, version) => {
    const named = serverTool(name)
    if (!named) return registered(name, version)
    return platformTools(ctx, named.server).has(named.tool) ? { name, version: version ?? '*' } : undefined
  }
}

/** The two halves of `server.tool`; in a plan, as in code, the server's name may be written with `_` for `-`. */
export function serverTool(name: string): { server: string; tool: string } | undefined {
  const [, server, tool] = SERVER_TOOL.exec(name) ?? []
  return server === undefined || tool === undefined ? undefined : { server: server.replaceAll('_', '-'), tool }
}

/** The tools of a server hosted here, or else of its committed tools.json: in distributed mode other processes host it. */
function platformTools(ctx: TxContext, server: string): ReadonlySet<string> {
  const hosted = ctx.host.servers.get(server)
  return hosted ? new Set(hosted.tools.keys()) : committedTools(join(ctx.config.root, 'servers', server, 'tools.json'))
}

interface Manifest {
  tools: { name: string }[]
}

const read = new Map<string, ReadonlySet<string>>()

/** Read in place of asking the server: this runs inside a transaction, which awaits nothing but its own SQL. */
function committedTools(file: string): ReadonlySet<string> {
  let names = read.get(file)
  if (!names) {
    const { tools } = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Manifest) : { tools: [] }
    names = new Set(tools.map(({ name }) => name))
    if (names.size > 0) read.set(file, names)
  }
  return names
}
