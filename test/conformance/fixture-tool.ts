import type { CallToolResult, InputRequiredResult, ServerContext, Tool } from '@modelcontextprotocol/server'

/** A tool of a name that the conformance suites ask for. */
export interface FixtureTool {
  description: string
  inputSchema?: Tool['inputSchema']
  run(args: Record<string, unknown>, ctx: ServerContext): Promise<CallToolResult | InputRequiredResult> | CallToolResult
}

export function text(value: string): CallToolResult {
  return { content: [{ type: 'text', text: value }] }
}
