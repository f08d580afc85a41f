import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { doMainJob } from './main-job.ts'
import {
  type Answer,
  type AnyClient,
  callOver,
  type Era,
  harmlessTool,
  manifests,
  mcpJson,
  stdioClient,
  type UnderTest,
  underTest,
} from './under-test.ts'

const eras: Era[] = ['v1', 'v2']

describe('clients that know nothing but .mcp.json', () => {
  let it: UnderTest
  beforeAll(async () => {
    it = await underTest()
  })
  afterAll(() => it.dispose())

  test('the hub is first, every path relative, every entry the same launcher', () => {
    expect(Object.keys(mcpJson())[0]).toBe('service-hub')
    for (const [name, entry] of Object.entries(mcpJson())) {
      expect(entry).toEqual({ command: 'node', args: ['tools/mcp.js', name] })
    }
  })

  test('two entries that start at once start one platform, and answer lists before it runs', async () => {
    const clients = await Promise.all([stdioClient('planning', it.env, 'v1'), stdioClient('data', it.env, 'v2')])
    const lists = await Promise.all(clients.map((client) => client.listTools()))
    for (const { tools } of lists) expect(tools.length).toBeGreaterThan(5)
    const answers = await Promise.all([
      clients[0]?.callTool({ name: 'list_goals', arguments: {} }),
      clients[1]?.callTool({ name: 'list_records', arguments: { kind: 'goal' } }),
    ])
    for (const answer of answers) expect(answer).toMatchObject({ structuredContent: { items: [] } })
    await Promise.all(clients.map((client) => client.close()))
    expect((await it.cli('up', '--json')).json.changed).toBe('nothing')
  })

  test.each(eras)('%s: every server lists its tools and answers a call', async (era) => {
    for (const manifest of manifests()) {
      const client = await stdioClient(manifest.name, it.env, era)
      const { tools } = await client.listTools()
      expect(tools.map(({ name }) => name).sort()).toEqual(manifest.tools.map(({ name }) => name).sort())
      const tool = harmlessTool(manifest)
      if (tool) {
        const answer = (await client.callTool({ name: tool, arguments: {} })) as { isError?: boolean }
        // Of a context nothing was saved yet, and its tool says so.
        const nothing = manifest.name === 'context-orchestrator' && JSON.stringify(answer).includes('E14001')
        expect([manifest.name, tool, answer.isError ?? false]).toEqual([manifest.name, tool, nothing])
      }
      const name = manifest.tools[0]?.name ?? ''
      const wrong = (await client.callTool({ name, arguments: { no_such_field: 1 } })) as Answer
      expect(wrong.isError).toBe(true)
      expect(JSON.parse(wrong.content[0]?.text ?? '')).toMatchObject({ error: { code: 'INVALID_INPUT' } })
      await client.close()
    }
  })

  test.each(eras)('%s: the main job', async (era) => {
    const clients: Record<string, AnyClient> = {}
    for (const name of Object.keys(mcpJson())) clients[name] = await stdioClient(name, it.env, era)
    const job = await doMainJob(callOver(clients), `stdio ${era}`)
    expect(job.goal_id).toMatch(/^gol_/)
    await Promise.all(Object.values(clients).map((client) => client.close()))
  })

  test('a platform that was stopped is started again by the next call', async () => {
    const client = await stdioClient('planning', it.env, 'v2')
    await client.callTool({ name: 'list_goals', arguments: {} })
    await it.cli('down')
    const answer = await client.callTool({ name: 'list_goals', arguments: {} })
    expect(answer).toMatchObject({ structuredContent: { items: expect.any(Array) } })
    await client.close()
  })
})
