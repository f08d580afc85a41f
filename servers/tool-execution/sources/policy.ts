import type { Dispatch } from '@story-portal/shared/engine'
import { isStoryPortalError } from '@story-portal/shared/errors'
import type { Host } from '@story-portal/shared/mcp'
import { createResilience, type Resilience, resilienceErrors } from '@story-portal/shared/resilience'
import { faults } from '../errors.ts'
import type { HttpWork, UpstreamWork } from '../work.ts'

const policies = new WeakMap<Host, Resilience>()
/** A call has its own limit of time, and an upstream says itself how many calls it takes. */
const LIMITS = { timeout_ms: 2 ** 31 - 1, concurrency: 1_024, queue: 1_024 }

/** A call that gives an upstream less than this says more about its caller, and must not make the tool rest for others. */
const PATIENCE_MS = 5_000

const SILENT = faults.upstreamSilent({ upstream: '' }).number
const OPEN = resilienceErrors.circuitOpen({ name: '' }).number
const FULL = resilienceErrors.overloaded({ name: '', running: 0, waiting: 0 }).number

/**
 * One call of an upstream's tool under the policy of that tool in this process: what only reads is tried up to three times, within the call's one limit of
 * time; after five failures in a row, by silence under a patient limit, lost connections or faults of the server, it is not asked for a while. A refusal is no failure.
 */
export async function underPolicy<T>(
  host: Host,
  { call, work }: { call: Dispatch; work: UpstreamWork | HttpWork },
  once: (limited: Dispatch & { deadline: number }) => Promise<T>,
): Promise<T> {
  const { upstream, tool, read_only: repeatable } = work.source
  const known = policies.get(host) ?? createResilience({ tool: LIMITS })
  policies.set(host, known)
  const longest = work.limits.timeout_ms ?? host.config.mcp.requestTimeoutMs
  const limited = { ...call, deadline: Math.min(call.deadline ?? Number.POSITIVE_INFINITY, Date.now() + longest) }
  const { tenant_id } = call.invocation
  const left = new AbortController()
  const signal = AbortSignal.any([call.signal, left.signal])
  const attempt = async () => {
    try {
      return await once(limited)
    } catch (error) {
      if (longest < PATIENCE_MS && isStoryPortalError(error) && error.number === SILENT) left.abort(error)
      throw error
    }
  }
  try {
    return await known
      .policy(`tool:${JSON.stringify([tenant_id, upstream, tool])}`)
      .execute(attempt, { signal, repeatable })
  } catch (error) {
    if (left.signal.aborted) throw left.signal.reason
    if (!isStoryPortalError(error) || (error.number !== OPEN && error.number !== FULL)) throw error
    const retry_after_ms = error.retry_after_ms ?? 0
    throw faults.toolResting({ upstream, tool }, { retry_after_ms, cause: error, details: { effect: 'none' } })
  }
}
