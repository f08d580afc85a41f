import { MultiServerMCPClient } from '@langchain/mcp-adapters'
import type { RefereeClient } from '../client.ts'

/** A tool's error is thrown with its text somewhere in the message. */
function errorText(message: string): string {
  return message.slice(Math.max(0, message.indexOf('{"error"')))
}

export default {
  transports: ['stdio', 'http'],
  async open({ server, transport, stdio, url, headers }) {
    const client = new MultiServerMCPClient({
      useStandardContentBlocks: false,
      mcpServers: {
        [server]:
          transport === 'stdio'
            ? { transport: 'stdio', ...stdio, stderr: 'ignore' }
            : { transport: 'http', url, headers, automaticSSEFallback: false },
      },
    })
    const tools = await client.getTools()
    return {
      list: async () => tools.map(({ name }) => name),
      async call(name, args) {
        const tool = tools.find((one) => one.name === name)
        if (!tool) throw new Error(`LangChain does not have ${name}`)
        try {
          const result = (await tool.invoke(args)) as { structuredContent?: unknown }
          return { isError: false, text: JSON.stringify(result.structuredContent ?? result) }
        } catch (error) {
          // Its class is not exported.
          if (!(error instanceof Error) || error.name !== 'ToolException') throw error
          return { isError: true, text: errorText(error.message) }
        }
      },
      close: () => client.close(),
    }
  },
} satisfies RefereeClient
