import { randomUUID } from 'node:crypto'
import { MCPClient } from '@mastra/mcp'
import type { RefereeClient } from '../client.ts'

interface ExecutableTool {
  execute?(args: Record<string, unknown>, context: object): Promise<unknown>
}

export default {
  transports: ['stdio', 'http'],
  async open({ server, transport, stdio, url, headers }) {
    const client = new MCPClient({
      id: randomUUID(),
      servers: {
        [server]:
          transport === 'stdio' ? { ...stdio, stderr: 'ignore' } : { url: new URL(url), requestInit: { headers } },
      },
    })
    const tools = ((await client.listToolsets())[server] ?? {}) as Record<string, ExecutableTool>
    return {
      list: async () => Object.keys(tools),
      async call(name, args) {
        try {
          // It hands over the structured result alone, and throws a tool's error with its text as the message.
          return { isError: false, text: JSON.stringify(await tools[name]?.execute?.(args, {})) }
        } catch (error) {
          if (error instanceof Error && error.message.startsWith('{"error"'))
            return { isError: true, text: error.message }
          throw error
        }
      },
      close: () => client.disconnect(),
    }
  },
} satisfies RefereeClient
