import { toolDefinitions } from '@story-portal/shared/mcp'
import { type Opened, open } from '@story-portal/shared/testing'
import { beforeAll, expect, test } from 'vitest'
import { committedServers } from '../../tools/registry.ts'

/** What a client has to load to reach the whole suite. */
const MAX_BYTES = 8_192

const others = committedServers().filter(({ name }) => name !== 'service-hub')

let hub: Opened
beforeAll(async () => {
  hub = await open('service-hub', { with: others.map(({ name }) => name) })
})

test('its own definitions take at most 8 kB', () => {
  const server = hub.host.servers.get('service-hub')
  if (server === undefined) throw new Error('there is no service-hub')
  const bytes = Buffer.byteLength(JSON.stringify({ tools: toolDefinitions(server) }))
  process.stderr.write(`definitions of the hub: ${bytes} bytes\n`)
  expect(bytes).toBeLessThanOrEqual(MAX_BYTES)
})

test.each(others.map((server) => [server.name, server] as const))(
  'every tool of %s is found by its name, explained, and called through the hub',
  async (name, server) => {
    expect(server.tools.length).toBeGreaterThan(0)
    for (const { name: tool } of server.tools) {
      const { items } = await hub.call('search_tools', { query: tool.replaceAll('_', ' '), limit: 5 })
      expect(items.map((item: { tool: string }) => item.tool)).toContain(tool)
      const { definition } = await hub.call('get_tool_definition', { server: name, tool })
      expect(definition.input_schema).toMatchObject({ type: 'object' })
      // With a field that no tool has: the tool itself refuses it, before it does anything.
      const error = await hub.callError('call_tool', { server: name, tool, arguments: { no_such_field: 1 } })
      expect(error).toMatchObject({ number: 'E0001' })
    }
  },
)
