import { defineTool } from '@story-portal/shared/mcp'
import { z } from 'zod'
import { faults } from '../errors.ts'
import { execute } from '../execute.ts'
import { argumentsFault, chooseVersion, deprecationOf } from '../registered-tools.ts'
import { Invocation, Mode, shownInvocation, ToolName, VersionRange } from '../schema.ts'
import { within, workOfTool } from '../work.ts'

export default defineTool({
  name: 'invoke_tool',
  description:
    'Calls a registered tool exactly once and returns the invocation with its output, or its error when the tool failed. For code that is not registered, use run_code.',
  effect: 'execute',
  transaction: false,
  input: {
    tool: ToolName,
    version: VersionRange.default('*').describe('Version or range, such as ^1.0.0; the highest that fits is used'),
    arguments: z.record(z.string(), z.unknown()).default({}).describe("Must fit the tool's input_schema"),
    timeout_ms: z.int().min(1).optional().describe("Longest run, from its start; cuts the tool's own limit"),
    mode: Mode,
  },
  output: { invocation: Invocation, deprecation: z.string().optional() },
  async run({ tool: name, version, arguments: args, timeout_ms, mode }, ctx) {
    const tool = await ctx.db.read((tx) => chooseVersion(tx, name, version))
    if (tool.requires_approval) throw faults.approvalsUnavailable({ tool: name })
    const fault = argumentsFault(tool, args)
    if (fault) throw fault
    const done = await execute(ctx, {
      by: 'invoke_tool',
      kind: 'tool',
      tool: { id: tool.id, name, version: tool.semver },
      arguments: args,
      work: within(workOfTool(tool, args), timeout_ms),
      mode,
    })
    const deprecation = deprecationOf(tool)
    return {
      invocation: { ...shownInvocation(done), replayed: done.replayed },
      ...(deprecation === undefined ? {} : { deprecation }),
    }
  },
})
