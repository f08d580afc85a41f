import type { Caller } from '@story-portal/shared/auth'
import type { Effect } from '@story-portal/shared/mcp'
import { faults } from './errors.ts'

/** `<server>.<tool>`, `<server>.*` or `*`; a server may be written as in code, with `_`. */
export const GRANT = /^(\*|[a-z][a-z0-9_-]*\.(\*|[a-z0-9_]+))$/

/** `host`, `host:port` or `*.host`. Without a port: those of http and https. */
export const HOST_GRANT = /^(\*\.)?[a-z0-9.-]+(:\d{1,5})?$|^\[[0-9a-f:.]+\](:\d{1,5})?$/

/** What code may do beyond computing; nothing by default. */
export interface Grants {
  tools: readonly string[]
  /** Hosts that http.fetch may reach; `*`: every public one. */
  http: readonly string[]
  /** Keys and values of the registered tool itself. */
  storage: boolean
  /** Names, for headers of http.fetch. */
  secrets: readonly string[]
}

type Given = { [K in keyof Grants]?: Grants[K] | undefined }

/** Permissions as they are given and recorded, where what is absent is not granted. */
export function grantsOf({ tools = [], http = [], storage = false, secrets = [] }: Given): Grants {
  return { tools, http, storage, secrets }
}

export const NO_GRANTS = grantsOf({})

export function grantsAnything({ tools, http, storage }: Grants): boolean {
  return tools.length + http.length > 0 || storage
}

/** Calls of running code are held to its grants by their scopes, but nothing says so of hosts and secrets: it may not grant those on. */
export function assertMayGrant({ depth = 0 }: Caller, { http = [], secrets = [] }: Given): void {
  if (depth > 0 && http.length + secrets.length > 0) throw faults.secretsFromCode()
}

export function isHostGranted(grants: readonly string[], url: URL): boolean {
  return grants.some((grant) => {
    if (grant === '*') return true
    const [, any, host, port] = /^(\*\.)?(.*?)(?::(\d+))?$/.exec(grant) ?? []
    if (host === undefined || url.port !== (port ?? '')) return false
    return any === undefined ? url.hostname === host : url.hostname.endsWith(`.${host}`)
  })
}

export interface ToolRef {
  server: string
  tool: string
}

/** `tool_execution.run_code`, as code writes it, to the server's real name; server names have no underscore. */
export function toolRef(name: string): ToolRef {
  const dot = name.indexOf('.')
  return { server: name.slice(0, dot).replaceAll('_', '-'), tool: name.slice(dot + 1) }
}

/** Deny by default: only what a grant names. */
export function isGranted(grants: readonly string[], { server, tool }: ToolRef): boolean {
  return grants.some((grant) => {
    const granted = toolRef(grant)
    return grant === '*' || (granted.server === server && (granted.tool === '*' || granted.tool === tool))
  })
}

/**
 * The scopes of a caller cut to what the code was granted, so that what the code calls can not grant itself more. Scopes are
 * `<server>:<tool>`, `<server>:<effect>`, `*:<effect>`, `<server>:*` or `*`; a scope by effect meets the grant of a single
 * tool only when the tool's effect is known here.
 */
export function narrowScopes(
  scopes: readonly string[],
  grants: readonly string[],
  effectOf: (tool: ToolRef) => Effect | undefined,
): string[] {
  const cut = scopes.flatMap((scope) => grants.flatMap((grant) => meet(scope, grant, effectOf)))
  return [...new Set(cut)]
}

function meet(scope: string, grant: string, effectOf: (tool: ToolRef) => Effect | undefined): string[] {
  if (grant === '*') return [scope]
  const granted = toolRef(grant)
  const whole = `${granted.server}:${granted.tool}`
  const [server = '', what = '*'] = scope.split(':')
  if (server !== '*' && server !== granted.server) return []
  if (what === '*' || what === granted.tool) return [whole]
  if (granted.tool === '*') return [`${granted.server}:${what}`]
  return effectOf(granted) === what ? [whole] : []
}
