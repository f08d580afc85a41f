import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio'
import { answerOf, type RefereeClient } from '../client.ts'

export default {
  transports: ['stdio', 'http'],
  async open({ transport, stdio, url, headers }) {
    const client = new Client(
      { name: 'referee-sdk-v2', version: '1' },
      { versionNegotiation: { mode: { pin: '2026-07-28' } } },
    )
    await client.connect(
      transport === 'stdio'
        ? new StdioClientTransport({ ...stdio, stderr: 'ignore' })
        : new StreamableHTTPClientTransport(new URL(url), { requestInit: { headers } }),
    )
    return {
      list: async () => (await client.listTools()).tools.map(({ name }) => name),
      call: async (name, args) => answerOf(await client.callTool({ name, arguments: args })),
      close: () => client.close(),
    }
  },
} satisfies RefereeClient
