import { getRecord } from '@story-portal/shared/data'
import { defineTool, type OpenContext } from '@story-portal/shared/mcp'
import { z } from 'zod'
import { keyOf, questionOf } from '../approval.ts'
import { type Executed, execute, failureOf } from '../execute.ts'
import { assertMayGrant } from '../grants.ts'
import { Code, Language, Limits, Logs, Mode, Permissions, Usage } from '../schema.ts'
import { workOfCode } from '../work.ts'

export default defineTool({
  name: 'run_code',
  description:
    'Runs one-off JavaScript or TypeScript in the sandbox and returns its result, logs and usage. To keep code as a versioned tool, use register_tool.',
  effect: 'execute',
  transaction: false,
  mayAsk: true,
  input: {
    code: Code.describe('Body of an async function with input and tools in scope; returns JSON'),
    language: Language.default('javascript').describe('Types are removed, not checked'),
    input: z.unknown().optional().describe('Any JSON'),
    permissions: Permissions.optional(),
    limits: Limits.optional(),
    repeatable: z.boolean().optional().describe('Date and random stay over repeats'),
    mode: Mode,
  },
  output: {
    logs: Logs,
    usage: Usage.nullable(),
    invocation_id: z.string(),
    status: z.string(),
    replayed: z.boolean(),
    approval: z.looseObject({}).optional(),
  },
  async run({ mode, repeatable, input = null, permissions = { tools: [] }, limits = {}, ...code }, ctx) {
    assertMayGrant(ctx.caller, permissions)
    const frozen = { ...code, input, permissions, limits }
    const kind = repeatable === true ? 'script' : 'code'
    const done = await execute(ctx, { by: 'run_code', kind, arguments: frozen, work: workOfCode(frozen), mode })
    const open = done.status === 'pending' || done.status === 'running'
    const waits = done.status === 'pending' && done.waits_for !== null
    if (done.status !== 'succeeded' && !waits && !(open && mode === 'background')) throw failureOf(done)
    return {
      result: done.output ?? null,
      logs: (done.logs ?? []) as z.input<typeof Logs>,
      usage: (done.usage ?? null) as z.input<typeof Usage> | null,
      invocation_id: done.id,
      status: done.status,
      replayed: done.replayed,
      ...(waits ? { approval: await awaited(ctx, done) } : {}),
    }
  },
})

/** Of a script that was put aside. */
async function awaited(ctx: OpenContext, { waits_for, call_key }: Executed) {
  const { id, status, ...asked } = await ctx.db.read((tx) => getRecord(tx, 'approval', waits_for ?? ''))
  const next =
    'A call of the script waits for a person: decide_approval on supervision. It goes on by itself; get_invocation then has the result.'
  return { id, status, question: questionOf({ id, status, ...asked }), ...keyOf(call_key), next }
}
