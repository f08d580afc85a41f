import { callsForRun } from '@story-portal/shared/auth'
import { getRecord } from '@story-portal/shared/data'
import { settleCall } from '@story-portal/shared/engine'
import { defineTool } from '@story-portal/shared/mcp'
import { z } from 'zod'
import { faults } from '../errors.ts'
import { Invocation, InvocationId, shownInvocation } from '../schema.ts'

export default defineTool({
  name: 'settle_invocation',
  description:
    'Records what somebody found out about an invocation whose outcome is unknown: done, or not done. Whoever repeats its call gets that. list_invocations with status unknown shows them.',
  effect: 'update',
  input: {
    invocation_id: InvocationId,
    outcome: z.enum(['done', 'not_done']).describe('Whether it had its effect'),
    output: z.unknown().optional().describe('What it would have answered; of done'),
    note: z.string().max(2_000).optional().describe('How it was found out'),
    expected_version: z.int().min(1).optional().describe('Of the invocation'),
  },
  output: { invocation: Invocation },
  async run({ invocation_id, ...settlement }, { caller, tx }) {
    if (callsForRun(caller)) throw faults.settleFromCode()
    await getRecord(tx, 'invocation', invocation_id)
    return { invocation: shownInvocation(await settleCall(tx, invocation_id, settlement)) }
  },
})
