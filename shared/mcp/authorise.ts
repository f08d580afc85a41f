import type { Caller } from '../auth/index.ts'
import { errors } from '../errors/index.ts'
import type { Effect } from './define.ts'

/** What the decision needs to know of a tool. */
export interface Callable {
  name: string
  effect: Effect
  roles?: readonly string[]
}

/** Deny by default: a role that is not here, or an effect a role doesn't list, is refused. */
const MATRIX: Readonly<Record<string, readonly Effect[]>> = {
  owner: ['read', 'create', 'update', 'delete', 'execute'],
  admin: ['read', 'create', 'update', 'delete', 'execute'],
  member: ['read', 'create', 'update', 'delete', 'execute'],
  service: ['read', 'create', 'update', 'delete', 'execute'],
  reader: ['read'],
}

/** Throws DENIED unless one of the caller's roles and one of its scopes allow this tool. Both must: a scope only narrows. */
export function authorise(caller: Caller, server: string, tool: Callable): void {
  const refuse = (reason: string) => errors.denied({ subject: caller.subject, tool: `${server}.${tool.name}`, reason })
  if (!caller.roles.some((role) => roleAllows(role, tool))) {
    const needed = Object.keys(MATRIX).filter((role) => roleAllows(role, tool))
    throw refuse(`it needs one of the roles ${needed.join(', ')}.`)
  }
  if (!scopesAllow(caller.scopes, server, tool)) throw refuse(`it needs the scope ${server}:${tool.name}.`)
}

/** Whether `authorise` would pass: for lists, which show a caller only what it may call, and plans, checked before they run. */
export function mayCall(caller: Caller, server: string, tool: Callable): boolean {
  return caller.roles.some((role) => roleAllows(role, tool)) && scopesAllow(caller.scopes, server, tool)
}

/** Whether `scopes` reach a tool: `*`, `<server>:*`, `<server>:<effect>`, `<server>:<tool>`, `*:<effect>`. */
function scopesAllow(scopes: readonly string[], server: string, { effect, name }: Callable): boolean {
  return scopes.some((scope) => {
    if (scope === '*' || scope === '*:*') return true
    const own = scope.startsWith(`${server}:`) ? scope.slice(server.length + 1) : undefined
    return scope === `*:${effect}` || own === '*' || own === effect || own === name
  })
}

function roleAllows(role: string, tool: Callable): boolean {
  if (!Object.hasOwn(MATRIX, role)) return false
  // A tool's own list narrows by name; the owner of a tenant is never locked out of it.
  if (tool.roles !== undefined && role !== 'owner') return tool.roles.includes(role)
  return MATRIX[role]?.includes(tool.effect) ?? false
}
