import type { Caller } from '../auth/index.ts'
import { mayCall } from './authorise.ts'
import { type ToolDefinition, toolDefinitions } from './definition.ts'
import { mcpErrors } from './errors.ts'
import type { Host, HostCallOptions, LoadedServer } from './host.ts'

/** What a protocol server shows of a server: the same shape whether its tools run here or in another process. */
export interface ToolBackend {
  readonly server: { name: string; title: string; version: string; instructions: string }
  /** What this caller may see, in name order. The same array for the same caller rights, so that it can be cached. */
  list(caller: Caller): readonly ToolDefinition[]
  has(tool: string): boolean
  /** Rejects with a StoryPortalError. */
  call(tool: string, args: unknown, options: HostCallOptions): Promise<Record<string, unknown>>
}

/** The tools of a server hosted in this process. Calls from outside are refused while the host drains; nested ones are not. */
export function localBackend(host: Host, server: LoadedServer): ToolBackend {
  return {
    server,
    list: (caller) => visibleTools(server, caller),
    has: (tool) => server.tool(tool) !== undefined,
    async call(tool, args, options) {
      if (host.draining) throw mcpErrors.draining({}, { retry_after_ms: 1000 })
      return host.call(server.name, tool, args, options)
    },
  }
}

/** The definitions of the tools this caller may call; the very same array for everyone who may call all of them. */
export function visibleTools(server: LoadedServer, caller: Caller): readonly ToolDefinition[] {
  const all = toolDefinitions(server)
  const shown = all.filter(({ name }) => {
    const tool = server.tool(name)
    return tool !== undefined && mayCall(caller, server.name, tool)
  })
  return shown.length === all.length ? all : shown
}
