import type { Server } from '@modelcontextprotocol/server'
import type { Caller } from '../auth/index.ts'
import { mayCall } from './authorise.ts'
import { type ToolDefinition, toolDefinitions } from './definition.ts'
import { mcpErrors } from './errors.ts'
import type { Host, HostCallOptions, LoadedServer } from './host.ts'
import type { PromptDefinition } from './prompts.ts'
import type { ResourceDefinition } from './resources.ts'

/** What a protocol server shows of a server: the same shape whether its tools run here or in another process. */
export interface ToolBackend {
  readonly server: {
    name: string
    title: string
    version: string
    instructions: string
    resources?: readonly ResourceDefinition[]
    prompts?: readonly PromptDefinition[]
  }
  /** What this caller may see, in name order. The same array for the same caller rights, so that it can be cached. */
  list(caller: Caller): readonly ToolDefinition[]
  has(tool: string): boolean
  /** Rejects with a StoryPortalError. */
  call(tool: string, args: unknown, options: HostCallOptions): Promise<Record<string, unknown>>
  /** Calls a tool of another server of the suite. */
  readonly callOther?: (server: string, tool: string, args: unknown, options: HostCallOptions) => Promise<unknown>
  /** Whether a person may be asked about calls of this tool; absent: of none. */
  mayAsk?(tool: string): boolean
  /** Puts more handlers on the protocol server of each request or connection. */
  readonly extend?: (server: Server) => void
}

/** The tools of a server hosted in this process. Calls from outside are refused while the host drains; nested ones are not. */
export function localBackend(host: Host, server: LoadedServer): ToolBackend {
  return {
    server,
    list: (caller) => visibleTools(server, caller),
    has: (tool) => server.tool(tool) !== undefined,
    mayAsk: (tool) => server.tool(tool)?.mayAsk === true,
    callOther: (other, tool, args, options) => host.call(other, tool, args, options),
    async call(tool, args, options) {
      if (host.draining) throw mcpErrors.draining({}, { retry_after_ms: 1000 })
      return host.call(server.name, tool, args, options)
    },
  }
}

type Definitions = readonly ToolDefinition[]

/** Roles and scopes make few sets of tools; when there are more, all are forgotten, which only costs making them again. */
const MAX_SETS = 256
const interned = new WeakMap<Definitions, Map<string, Definitions>>()

/** The definitions of the tools this caller may call; the very same array for everyone who may call the same. */
export function visibleTools(server: LoadedServer, caller: Caller): Definitions {
  const all = toolDefinitions(server)
  let shown = ''
  for (const { name } of all) {
    const tool = server.tool(name)
    shown += tool !== undefined && mayCall(caller, server.name, tool) ? '1' : '0'
  }
  const sets = interned.get(all) ?? new Map<string, Definitions>()
  interned.set(all, sets)
  const known = sets.get(shown)
  if (known !== undefined) return known
  if (sets.size >= MAX_SETS) sets.clear()
  const fresh = all.filter((_, index) => shown[index] === '1')
  sets.set(shown, fresh)
  return fresh
}
