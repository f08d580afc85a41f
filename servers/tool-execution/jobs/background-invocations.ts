import type { Caller } from '@story-portal/shared/auth'
import { approvalAnswer, leaseOwner, workCalls } from '@story-portal/shared/engine'
import { defineJob } from '@story-portal/shared/mcp'
import { callServerTool } from '../capabilities.ts'
import { dispatchFor, verifierFor } from '../dispatch.ts'

/** Runs what was called with mode "background", and takes over calls whose process was lost. */
export default defineJob({
  name: 'background-invocations',
  async start(host) {
    return await workCalls(host.db, host.jobs, {
      owner: leaseOwner(host.boot_id),
      concurrency: host.config.sandbox.workers,
      async prepare(invocation, scope) {
        const lease_ms = host.config.engine.leaseMs
        const { kind, tool } = invocation
        if (['code', 'tool', 'script', 'compensation'].includes(kind))
          return { lease_ms, dispatch: dispatchFor(host, scope), verify: verifierFor(host, scope) }
        if (kind === 'approval') return { lease_ms, dispatch: approvalAnswer(host.db, scope) }
        if (kind !== 'server_tool' || tool === null) return undefined
        const caller = invocation.caller as unknown as Caller
        return { lease_ms, dispatch: callServerTool(host, scope, { name: tool, args: invocation.arguments, caller }) }
      },
    })
  },
})
