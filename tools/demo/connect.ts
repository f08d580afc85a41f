import { readFileSync } from 'node:fs'
import path from 'node:path'
import { Client } from '@modelcontextprotocol/client'
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio'

export type Call = (tool: string, args?: Record<string, unknown>) => Promise<Record<string, unknown>>

export interface Connection {
  call: Call
  close(): Promise<void>
}

interface McpJson {
  mcpServers: Record<string, { command: string; args: string[] }>
}

/** A real MCP client on a server of .mcp.json, started by the very command that is written there. */
export async function connect(root: string, server: string, env: Record<string, string>): Promise<Connection> {
  const { mcpServers } = JSON.parse(readFileSync(path.join(root, '.mcp.json'), 'utf8')) as McpJson
  const entry = mcpServers[server]
  if (!entry) throw new Error(`.mcp.json has no server ${server}`)
  const client = new Client({ name: 'story-portal-demo', version: '1.0.0' }, { versionNegotiation: { mode: 'auto' } })
  await client.connect(new StdioClientTransport({ ...entry, cwd: root, env, stderr: 'ignore' }))
  return {
    async call(tool, args = {}) {
      const answer = await client.callTool({ name: tool, arguments: args }, { timeout: 300_000 })
      if (answer.isError) throw new ToolError(tool, errorOf(answer.content))
      return (answer.structuredContent ?? {}) as Record<string, unknown>
    },
    close: () => client.close(),
  }
}

/** In every revision of the protocol the error body is the text of the result. */
function errorOf(content: readonly unknown[]): ToolError['body'] {
  const [first] = content as { text?: string }[]
  return (JSON.parse(first?.text ?? '{}') as { error: ToolError['body'] }).error
}

/** What a tool answered instead of a result. */
export class ToolError extends Error {
  readonly body: { code: string; number: string; message: string; hint: string; details?: unknown }

  constructor(tool: string, body: ToolError['body']) {
    super(`${tool}: ${body.message} ${body.hint} ${JSON.stringify(body.details ?? '')}`)
    this.body = body
  }
}
