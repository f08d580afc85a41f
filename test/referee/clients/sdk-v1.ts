import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { SSEClientTransport } from '@modelcontextprotocol/sdk/client/sse.js'
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js'
import { answerOf, type RefereeClient, type Target } from '../client.ts'

function transport({ transport, stdio, url, headers }: Target): Transport {
  const http = { requestInit: { headers } }
  if (transport === 'stdio') return new StdioClientTransport({ ...stdio, stderr: 'ignore' })
  const made =
    transport === 'sse'
      ? new SSEClientTransport(new URL(url), http)
      : new StreamableHTTPClientTransport(new URL(url), http)
  return made as Transport
}

export default {
  transports: ['stdio', 'http', 'sse'],
  async open(target) {
    const client = new Client({ name: 'referee-sdk-v1', version: '1' })
    await client.connect(transport(target))
    return {
      list: async () => (await client.listTools()).tools.map(({ name }) => name),
      call: async (name, args) => answerOf(await client.callTool({ name, arguments: args })),
      close: () => client.close(),
    }
  },
} satisfies RefereeClient
