import { getRecord } from '@story-portal/shared/data'
import { defineTool } from '@story-portal/shared/mcp'
import { Invocation, InvocationId, shownInvocation } from '../schema.ts'

export default defineTool({
  name: 'get_invocation',
  description:
    'Returns one invocation: its status, output or error, logs and usage. To find an id, call list_invocations.',
  effect: 'read',
  input: { invocation_id: InvocationId },
  output: { invocation: Invocation },
  async run({ invocation_id }, { tx }) {
    return { invocation: shownInvocation(await getRecord(tx, 'invocation', invocation_id)) }
  },
})
