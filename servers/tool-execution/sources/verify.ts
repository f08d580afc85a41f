import type { Caller } from '@story-portal/shared/auth'
import type { Dispatch, InvocationRecord, Verdict } from '@story-portal/shared/engine'
import { z } from 'zod'
import { type CapabilityUse, capabilityNamed, type Question } from '../capabilities/index.ts'
import { faults } from '../errors.ts'
import type { HostCall } from '../sandbox/sandbox.ts'
import { limitsFor, sandboxOf } from '../sandbox-of-host.ts'
import type { Work } from '../work.ts'

/** The run that asks waits, on its own time. */
const LONGEST_MS = 5_000

const Answer = z.discriminatedUnion('state', [
  z.object({ state: z.literal('done'), output: z.json().default(null) }),
  z.object({ state: z.literal('not_done') }),
  z.object({ state: z.literal('unknown') }),
])

/**
 * Runs the `verify` code of a tool with `{key, request}`: it looks at the receiver and returns `{state: 'done', output}`, `{state: 'not_done'}` or
 * `{state: 'unknown'}`. It may only read; whatever else it does or returns counts as unknown. Undefined when the tool has none.
 */
export function verifyBy(call: Pick<Dispatch, 'invocation' | 'signal'>, work: Work) {
  const { verify, language = 'javascript' } = work.source
  if (verify === undefined) return undefined
  return async (use: CapabilityUse, question: Question): Promise<Verdict> => {
    const { depth = 0 } = call.invocation.caller as unknown as Caller
    const result = await sandboxOf(use.host).run({
      code: verify,
      language,
      input: question,
      limits: limitsFor(use.host.config.sandbox, { ...work.limits, timeout_ms: LONGEST_MS }),
      // The run that asks keeps its own place meanwhile.
      depth: depth + 1,
      group: use.scope.tenant_id,
      signal: call.signal,
      onCall: (asked) => read(use, call.invocation, asked),
    })
    const answer = result.ok ? Answer.safeParse(result.result) : undefined
    if (answer?.success) return answer.data as Verdict
    const why = result.ok ? result.result : result.error.message
    use.host.log.warn({ invocation: call.invocation.id, tool: use.tool, why }, 'verify gave no answer')
    return { state: 'unknown' }
  }
}

/** Not journaled: a later question is to see how things are then. */
async function read(use: CapabilityUse, invocation: InvocationRecord, asked: HostCall): Promise<unknown> {
  const { name, args: given, signal } = asked
  const capability = capabilityNamed(name)
  if (!capability) throw faults.capabilityDenied({ call: name, permission: name })
  const args = capability.parse(given)
  capability.permit(use, args)
  if (capability.effectOf(args) !== 'pure') throw faults.verifyOnlyReads({ call: name })
  return await capability.run(use, args, {
    ...{ key: invocation.call_key, fence: invocation.fence, deadline: undefined },
    ...{ invocation, signal },
  })
}
