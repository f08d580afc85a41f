import { callsForRun } from '@story-portal/shared/auth'
import { compileSchema, findRecord, getRecord } from '@story-portal/shared/data'
import type { Tx } from '@story-portal/shared/db'
import { decideApproval } from '@story-portal/shared/engine'
import { defineTool } from '@story-portal/shared/mcp'
import { z } from 'zod'
import { faults } from '../errors.ts'
import { Approval, shownApproval } from '../schema.ts'

export default defineTool({
  name: 'decide_approval',
  description:
    'Approves or denies a waiting call, once and for good. With arguments it approves these instead of what was asked for. An approved call then runs by itself; get_invocation has its result.',
  // In a transaction of its own like every change, and marked as destructive: what it ends or starts can not be taken back.
  effect: 'delete',
  input: {
    approval_id: z
      .string()
      .regex(/^apr_[a-z0-9]{1,60}$/, 'must be the id of an approval: apr_...')
      .describe('Id of the approval, apr_...'),
    decision: z.enum(['approve', 'deny']).describe('deny ends the call without running it'),
    arguments: z
      .record(z.string(), z.unknown())
      .optional()
      .describe("Approved instead; must fit the tool's input_schema"),
    note: z.string().min(1).max(2000).optional().describe('Why; whoever asked reads it'),
    expected_version: z.int().min(1).optional().describe('Version of the approval that was read'),
  },
  output: { approval: Approval, invocation: z.looseObject({ id: z.string(), status: z.string() }) },
  async run({ approval_id, arguments: args, ...decision }, ctx) {
    const { caller, tx, host } = ctx
    if (callsForRun(caller)) throw faults.onlyPeople()
    if (args !== undefined && decision.decision === 'deny') throw faults.onlyWhenApproved()
    if (args !== undefined) await checkArguments(tx, approval_id, args)
    const decided = await decideApproval(tx, host.jobs, approval_id, {
      ...decision,
      ...(args === undefined ? {} : { arguments: args }),
      decided_by: caller.subject,
    })
    const { id, status, tool, error } = decided.invocation
    return { approval: shownApproval(decided.approval), invocation: { id, status, tool, error } }
  },
})

async function checkArguments(tx: Tx, approvalId: string, args: unknown): Promise<void> {
  const approval = await findRecord(tx, 'approval', approvalId)
  // Not there: the decision says so.
  if (approval === undefined) return
  const invocation = await getRecord(tx, 'invocation', approval.invocation_id)
  if (invocation.tool_id === null) return
  const tool = await getRecord(tx, 'tool', invocation.tool_id)
  const found = compileSchema(tool.input_schema, 'arguments')?.(args)
  if (found === undefined || found.length === 0) return
  const summary = found.map(({ path, message }) => `${path} ${message}`).join('; ')
  throw faults.argumentsDontFit({ tool: `${tool.name} ${tool.semver}`, summary }, { details: { faults: found } })
}
