import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { InMemoryTransport, type Transport } from '@modelcontextprotocol/server'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Served, serve, silentLog } from '../testing/index.ts'
import { localBackend } from './backend.ts'
import { serverManifest } from './manifest.ts'
import { remoteBackend, remoteServers } from './remote.ts'
import { matchUri } from './resources.ts'
import { serveConnection } from './stdio.ts'

const KEY = 'service-key-of-at-least-32-characters'
let served: Served
const clients: Client[] = []

beforeAll(async () => {
  served = await serve('service-hub', { config: { serviceKey: KEY } })
})
afterAll(async () => {
  await Promise.all(clients.map((client) => client.close()))
  await served.close()
})

const hub = () => {
  const server = served.host.servers.get('service-hub')
  if (!server) throw new Error('service-hub was not loaded')
  return server
}

/** What the stdio entry does: the server's manifest here, its tools in another process. */
function relay() {
  const manifest = serverManifest(hub())
  const config = { host: '127.0.0.1', portBase: 1, urls: { 'service-hub': served.http.url } }
  const others = remoteServers({ config, manifests: [manifest], credentials: { serviceKey: KEY }, log: silentLog })
  return remoteBackend(others, manifest)
}

function connection(backend: Parameters<typeof serveConnection>[0]): Transport {
  const [here, there] = InMemoryTransport.createLinkedPair()
  serveConnection(backend, served.caller, there, () => {})
  return here
}

const WAYS: Record<string, () => Transport> = {
  'in one process': () => connection(localBackend(served.host, hub())),
  'over a relay': () => connection(relay()),
  'over HTTP': () =>
    new StreamableHTTPClientTransport(new URL(`${served.http.url}/mcp`), {
      requestInit: { headers: { authorization: `Bearer ${served.token}` } },
    }),
}
const NEW = { versionNegotiation: { mode: { pin: '2026-07-28' } } } as const
const ERAS = { '2026-07-28': NEW, '2025-11-25': {} }

for (const [way, transport] of Object.entries(WAYS)) {
  for (const [era, options] of Object.entries(ERAS)) {
    const connect = async () => {
      const client = new Client({ name: 'vitest', version: '1' }, options)
      clients.push(client)
      await client.connect(transport())
      expect(client.getNegotiatedProtocolVersion()).toBe(era)
      return client
    }

    test(`${way}, ${era}: the declarations of a server's tools are a resource`, async () => {
      const client = await connect()
      const { resources } = await client.listResources()
      expect(resources.map(({ uri }) => uri)).toContain('story-portal://types/service-hub')
      const { resourceTemplates } = await client.listResourceTemplates()
      expect(resourceTemplates).toMatchObject([{ uriTemplate: 'story-portal://types/{server}' }])
      const { contents } = await client.readResource({ uri: 'story-portal://types/service-hub' })
      expect(contents).toMatchObject([{ uri: 'story-portal://types/service-hub', mimeType: 'text/x-typescript' }])
      const text = String(contents[0] && 'text' in contents[0] && contents[0].text)
      for (const tool of hub().tools.keys()) expect(text).toContain(`    ${tool}: (args: `)
      expect(text).toMatch(/^declare const tools: \{\n {2}service_hub: \{\n/)
    })

    test(`${way}, ${era}: what is not there is refused in our words`, async () => {
      const client = await connect()
      await expect(client.readResource({ uri: 'story-portal://types/service-hup' })).rejects.toMatchObject({
        code: -32602,
        data: { error: { number: 'E0010', hint: 'Did you mean service-hub?' } },
      })
      await expect(client.readResource({ uri: 'file:///etc/passwd' })).rejects.toMatchObject({
        code: -32602,
        data: { uri: 'file:///etc/passwd', error: { number: 'E0918' } },
      })
      await expect(client.getPrompt({ name: 'nothing' })).rejects.toMatchObject({
        data: { error: { number: 'E0919' } },
      })
      await expect(client.getPrompt({ name: 'write_script', arguments: { goals: 'x' } })).rejects.toMatchObject({
        code: -32602,
        data: { error: { number: 'E0916', details: { faults: [{}, {}, { path: 'params.arguments.goals' }] } } },
      })
    })

    test(`${way}, ${era}: a prompt carries its arguments and what a tool knows`, async () => {
      const client = await connect()
      const { prompts } = await client.listPrompts()
      expect(prompts.map(({ name }) => name)).toEqual(['check_platform', 'find_and_call', 'write_script'])
      const args = { goal: 'Close {server} goals', server: 'service-hub' }
      const { messages } = await client.getPrompt({ name: 'write_script', arguments: args })
      const text = String(messages[0]?.content.type === 'text' && messages[0].content.text)
      expect(text).toContain('\n\nClose {server} goals\n\n')
      expect(text).toContain('    call_tool: (args: {')
      const found = await client.getPrompt({ name: 'find_and_call', arguments: { request: 'many calls in one' } })
      expect(JSON.stringify(found.messages)).toContain('run_script')
    })
  }
}

test('a template takes one decoded part per variable, and nothing else', () => {
  const template = 'context://project/{project}/task/{task}'
  expect(matchUri(template, 'context://project/a%20b/task/t1')).toEqual({ project: 'a b', task: 't1' })
  for (const uri of [
    'context://project/a/b/task/t1',
    'context://project//task/t1',
    'context://project/a/task/t1?x',
    'context://project/%zz/task/t1',
    'xcontext://project/a/task/t1',
  ])
    expect(matchUri(template, uri)).toBeUndefined()
})
