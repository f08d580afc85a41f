import { createMCPClient } from '@ai-sdk/mcp'
import { Experimental_StdioMCPTransport } from '@ai-sdk/mcp/mcp-stdio'
import { answerOf, type RefereeClient } from '../client.ts'

export default {
  transports: ['stdio', 'http', 'sse'],
  async open({ transport, stdio, url, headers }) {
    const client = await createMCPClient({
      transport:
        transport === 'stdio'
          ? new Experimental_StdioMCPTransport({ ...stdio, stderr: 'ignore' })
          : { type: transport, url, headers },
    })
    return {
      list: async () => (await client.listTools()).tools.map(({ name }) => name),
      call: async (name, args) => answerOf(await client.callTool({ name, arguments: args })),
      close: () => client.close(),
    }
  },
} satisfies RefereeClient
