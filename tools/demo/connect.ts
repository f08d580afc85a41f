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
  const client = new Client({ name: 'story-portal-demo', version: '1.0.0' })
  await client.connect(new StdioClientTransport({ ...entry, cwd: root, env, stderr: 'ignore' }))
  return {
    async call(tool, args = {}) {
      const answer = await client.callTool({ name: tool, arguments: args }, { timeout: 300_000 })
      const content = (answer.structuredContent ?? {}) as Record<string, unknown>
      if (answer.isError) throw new ToolError(tool, content['error'] as ToolError['body'])
      return content
    },
    close: () => client.close(),
  }
}

/** What a tool answered instead of a result. */
export class ToolError extends Error {
  readonly body: { code: string; number: string; message: string; hint: string; details?: unknown }

  constructor(tool: string, body: ToolError['body']) {
    super(`${tool}: ${body?.message} ${body?.hint} ${JSON.stringify(body?.details ?? '')}`)
    this.body = body
  }
}
