import { callsForRun } from '@story-portal/shared/auth'
import { getRecord } from '@story-portal/shared/data'
import { defineTool } from '@story-portal/shared/mcp'
import { faults } from '../errors.ts'
import { callSpec, execute, failureOf, type Intent } from '../execute.ts'
import { Invocation, InvocationId, Mode, shownInvocation } from '../schema.ts'
import { workOfCompensation } from '../work.ts'

const FAILED = ['failed', 'timed_out', 'cancelled', 'denied', 'unknown']

export default defineTool({
  name: 'compensate_invocation',
  description:
    "Undoes what a registered tool has done, by the tool's own compensate code, once however often it is called. To stop one that still runs, use cancel_invocation.",
  effect: 'execute',
  transaction: false,
  idempotent: true,
  input: { invocation_id: InvocationId, mode: Mode },
  output: { invocation: Invocation },
  async run({ invocation_id, mode }, ctx) {
    const { done, tool } = await ctx.db.read(async (tx) => {
      const found = await getRecord(tx, 'invocation', invocation_id)
      if (found.kind !== 'tool' || found.status !== 'succeeded' || found.tool_id === null)
        throw faults.notDone({ status: found.kind === 'tool' ? found.status : `of kind ${found.kind}` })
      return { done: found, tool: await getRecord(tx, 'tool', found.tool_id) }
    })
    const given = { arguments: done.arguments, output: done.output }
    const intent: Intent = {
      by: 'compensate_invocation',
      kind: 'compensation',
      tool: { id: tool.id, name: tool.name, version: tool.semver },
      arguments: given,
      work: workOfCompensation(tool, given),
      mode,
    }
    // One per invocation, whoever asks and under whatever key.
    const spec = { ...callSpec(ctx, intent), key: `compensate/${done.id}`, parent_invocation_id: done.id }
    const ended = await execute(ctx, intent, spec)
    // A task that undoes has failed when this has.
    if (callsForRun(ctx.caller) && FAILED.includes(ended.status)) throw failureOf(ended)
    return { invocation: { ...shownInvocation(ended), replayed: ended.replayed } }
  },
})
