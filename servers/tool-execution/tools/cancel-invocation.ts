import { cancelCall } from '@story-portal/shared/engine'
import { defineTool } from '@story-portal/shared/mcp'
import { scopeOf } from '../execute.ts'
import { Invocation, InvocationId, shownInvocation } from '../schema.ts'

export default defineTool({
  name: 'cancel_invocation',
  description:
    'Cancels an invocation that has not ended. What it has done outside stays done: an outside effect under way is asked to stop and records how it ended.',
  effect: 'execute',
  transaction: false,
  input: { invocation_id: InvocationId },
  output: { invocation: Invocation },
  async run({ invocation_id }, ctx) {
    return { invocation: shownInvocation(await cancelCall(ctx.host.db, scopeOf(ctx), invocation_id)) }
  },
})
