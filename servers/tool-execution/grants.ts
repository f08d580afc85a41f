import type { Effect } from '@story-portal/shared/mcp'

/** `<server>.<tool>`, `<server>.*` or `*`; a server may be written as in code, with `_`. */
export const GRANT = /^(\*|[a-z][a-z0-9_-]*\.(\*|[a-z0-9_]+))$/

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
