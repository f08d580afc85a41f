import { McpServer } from '@modelcontextprotocol/server'
import { serveStdio } from '@modelcontextprotocol/server/stdio'
import { z } from 'zod'

/** The least that the SDK serves over stdio: one validated tool. */
serveStdio(() => {
  const server = new McpServer({ name: 'minimal', version: '1.0.0' })
  const config = { description: 'Echoes.', inputSchema: z.object({ text: z.string() }) }
  server.registerTool('echo', config, async ({ text }) => ({ content: [{ type: 'text', text }] }))
  return server
})
