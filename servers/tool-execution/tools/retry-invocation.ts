import { getRecord, inMs, listRecords, type RecordOf, updateRecord } from '@story-portal/shared/data'
import type { Tx } from '@story-portal/shared/db'
import { type CallIntent, parkCall, submitCall } from '@story-portal/shared/engine'
import { defineTool, type OpenContext } from '@story-portal/shared/mcp'
import { z } from 'zod'
import { shownApproval } from '../approval.ts'
import { placesOf } from '../concurrency.ts'
import { faults } from '../errors.ts'
import { assertMayGrant } from '../grants.ts'
import { chooseVersion } from '../registered-tools.ts'
import { Invocation, InvocationId, shownInvocation } from '../schema.ts'
import { type CodeArguments, effectOf, workOfCode, workOfTool } from '../work.ts'

const RETRIED = ['failed', 'timed_out', 'cancelled', 'denied']

type Row = RecordOf<'invocation'>
/** `ask`: a person must allow it. */
type Retry = Pick<CallIntent, 'tool' | 'tool_id' | 'tool_version' | 'concurrency' | 'effect'> & { ask: boolean }

export default defineTool({
  name: 'retry_invocation',
  description:
    'Runs a call of a tool or of code again that failed, with the same arguments, in the background and as a new invocation; while one runs or after one succeeded, that one is returned. discard closes a dead letter instead. list_invocations with dead_letters shows those.',
  effect: 'execute',
  transaction: false,
  idempotent: true,
  input: {
    invocation_id: InvocationId,
    discard: z.boolean().default(false).describe('Does not run it; it is no dead letter any more'),
    note: z.string().min(1).max(2_000).optional().describe('Why, for its history'),
  },
  output: { invocation: Invocation, approval: z.looseObject({}).optional() },
  run: ({ invocation_id, discard, note }, ctx) =>
    ctx.db.tx(async (tx) => {
      const failed = await getRecord(tx, 'invocation', invocation_id)
      if (failed.status === 'unknown' && !discard) throw faults.retryUnknown()
      if (![...RETRIED, 'unknown'].includes(failed.status)) throw faults.notRetried({ status: failed.status })
      return discard ? { invocation: shownInvocation(await close(tx, failed, note)) } : retry(tx, ctx, failed, note)
    }),
})

async function retry(tx: Tx, ctx: OpenContext, failed: Row, note: string | undefined) {
  // A retry of a retry is one more of the first call.
  const first = failed.retry_of ?? failed.id
  const earlier = await retriesOf(tx, first)
  const standing = earlier.find(({ status }) => !RETRIED.includes(status))
  if (standing) return { invocation: { ...shownInvocation(standing), replayed: true } }
  const { ask, ...again } = await retryOf(tx, ctx, failed)
  const call: CallIntent = {
    ...again,
    caller: ctx.caller,
    // Two who ask at a time get one.
    key: `${first}/retries/${earlier.length + 1}`,
    kind: failed.kind,
    arguments: failed.arguments,
    retry_of: first,
  }
  await close(tx, failed, note)
  if (!ask) return { invocation: shownInvocation(await submitCall(tx, ctx.host.jobs, call)) }
  const { invocation, approval } = await parkCall(tx, call, { expires_ms: ctx.config.engine.approvalMs })
  return { invocation: shownInvocation(invocation), approval: shownApproval(approval, invocation) }
}

async function retriesOf(tx: Tx, id: string): Promise<Row[]> {
  const { items } = await listRecords(tx, 'invocation', { filter: { retry_of: id }, sort: '-created_at', limit: 200 })
  return items
}

/** What is run again is checked as if it were called now: rights, the tool's version, a person's consent. */
async function retryOf(tx: Tx, { caller }: Pick<OpenContext, 'caller'>, failed: Row): Promise<Retry> {
  if (failed.task_id !== null) throw faults.notRetried({ status: 'part of a task' })
  if (failed.kind === 'tool' && failed.tool !== null) {
    const tool = await chooseVersion(tx, failed.tool, failed.tool_version ?? '*')
    const named = { tool: tool.name, tool_id: tool.id, tool_version: tool.semver }
    const effect = effectOf(workOfTool(tool, failed.arguments))
    return { ...named, ...placesOf(tool, failed.arguments), effect, ask: tool.requires_approval }
  }
  if (failed.kind !== 'code' && failed.kind !== 'script') throw faults.notRetried({ status: `of kind ${failed.kind}` })
  const code = failed.arguments as unknown as CodeArguments
  assertMayGrant(caller, code.permissions)
  return { effect: effectOf(workOfCode(code)), ask: false }
}

async function close(tx: Tx, { id }: Row, note: string | undefined): Promise<Row> {
  return await updateRecord(tx, 'invocation', id, { closed_at: inMs(0) }, note === undefined ? {} : { reason: note })
}
