import { defineTool } from '@story-portal/shared/mcp'
import { z } from 'zod'
import { serverMeant } from '../catalogue.ts'
import { REGISTERED, ServerName, ToolName } from '../schema.ts'

export default defineTool({
  name: 'call_tool',
  description:
    'Calls a tool of any server and returns its own result or error unchanged. To see its arguments first, call get_tool_definition.',
  effect: 'execute',
  transaction: false,
  mayAsk: true,
  openWorld: true,
  input: {
    server: ServerName,
    tool: ToolName,
    arguments: z.record(z.string(), z.unknown()).default({}).describe('Arguments of that tool.'),
  },
  output: {},
  async run({ server, tool, arguments: args }, ctx) {
    const key = ctx.idempotency_key
    const options = { onProgress: ctx.progress, ...(key === undefined ? {} : { idempotency_key: key }) }
    const meant = await serverMeant(ctx, server, tool)
    if (meant !== REGISTERED) return ctx.callByName(server, tool, args, options)
    return ctx.callByName('tool-execution', 'invoke_tool', { tool, arguments: args }, options)
  },
})
