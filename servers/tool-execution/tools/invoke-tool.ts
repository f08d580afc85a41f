import { defineTool } from '@story-portal/shared/mcp'
import { z } from 'zod'
import { type Asked, askFirst, shownApproval } from '../approval.ts'
import { placesOf } from '../concurrency.ts'
import { type Executed, execute, type Intent } from '../execute.ts'
import { argumentsFault, chooseVersion, deprecationOf } from '../registered-tools.ts'
import { Invocation, Mode, shownInvocation, ToolName, VersionRange } from '../schema.ts'
import { within, workOfTool } from '../work.ts'

export default defineTool({
  name: 'invoke_tool',
  description:
    'Calls a registered tool exactly once and returns the invocation with its output, or its error when the tool failed. For code that is not registered, use run_code.',
  effect: 'execute',
  transaction: false,
  mayAsk: true,
  input: {
    tool: ToolName,
    version: VersionRange.default('*').describe('Version or range, such as ^1.0.0; the highest that fits is used'),
    arguments: z.record(z.string(), z.unknown()).default({}).describe("Must fit the tool's input_schema"),
    timeout_ms: z.int().min(1).optional().describe("Longest run, from its start; cuts the tool's own limit"),
    mode: Mode,
  },
  output: { invocation: Invocation, approval: z.looseObject({}).optional(), deprecation: z.string().optional() },
  async run({ tool: name, version, arguments: args, timeout_ms, mode }, ctx) {
    const tool = await ctx.db.read((tx) => chooseVersion(tx, name, version))
    const fault = argumentsFault(tool, args)
    if (fault) throw fault
    const intent: Intent = {
      by: 'invoke_tool',
      kind: 'tool',
      tool: { id: tool.id, name, version: tool.semver },
      arguments: args,
      ...placesOf(tool, args),
      work: within(workOfTool(tool, args), timeout_ms),
      mode,
    }
    const done: Executed & Partial<Asked> = tool.requires_approval
      ? await askFirst(ctx, intent)
      : await execute(ctx, intent)
    const deprecation = deprecationOf(tool)
    return {
      invocation: { ...shownInvocation(done), replayed: done.replayed },
      ...(done.approval ? { approval: shownApproval(done.approval, done) } : {}),
      ...(deprecation === undefined ? {} : { deprecation }),
    }
  },
})
