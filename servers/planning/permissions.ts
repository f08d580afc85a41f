import type { Caller } from '@story-portal/shared/auth'
import type { PlanDefinitionInput } from '@story-portal/shared/engine'
import type { Fault } from '@story-portal/shared/errors'
import { type Host, mayCall } from '@story-portal/shared/mcp'
import { serverTool } from './plan-tools.ts'

/**
 * Tasks that the caller could not carry out itself: a plan runs as whoever made it, so each would be refused, one by one and
 * hours later. Tools of servers in other processes are judged there, when they are called.
 */
export function permissionFaults(host: Host, caller: Caller, definition: PlanDefinitionInput): Fault[] {
  const tasks: readonly unknown[] = definition.tasks
  return tasks.flatMap((task, i) => {
    const { kind, tool } = (task ?? {}) as { kind?: unknown; tool?: unknown }
    const needed = neededTool(kind, tool)
    if (needed === undefined) return []
    const [server, name] = needed
    const hosted = host.servers.get(server)?.tool(name)
    if (hosted === undefined && server !== 'tool-execution') return []
    if (mayCall(caller, server, hosted ?? { name, effect: 'execute' })) return []
    const path = `tasks[${i}].${kind === 'tool' ? 'tool' : 'kind'}`
    return [{ path, message: `you may not call ${server}.${name}`, hint: 'Ask for a role or scope that includes it.' }]
  })
}

function neededTool(kind: unknown, tool: unknown): [server: string, tool: string] | undefined {
  if (kind === 'code') return ['tool-execution', 'run_code']
  if (kind !== 'tool') return undefined
  const named = serverTool(String(tool))
  return named ? [named.server, named.tool] : ['tool-execution', 'invoke_tool']
}
