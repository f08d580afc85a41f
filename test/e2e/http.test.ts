import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { doMainJob } from './main-job.ts'
import { type AnyClient, callOver, type Era, httpClient, manifests, type UnderTest, underTest } from './under-test.ts'

describe('clients over HTTP with the token', () => {
  let it: UnderTest
  beforeAll(async () => {
    it = await underTest()
    const { code, stdout } = await it.cli('up', '--json')
    expect([code, stdout]).toEqual([0, expect.any(String)])
  })
  afterAll(() => it.dispose())

  const url = (port: number) => new URL(`http://127.0.0.1:${it.base + port}/mcp`)
  test.each(['v1', 'v2'] as Era[])('%s: the main job on every server', async (era) => {
    const clients: Record<string, AnyClient> = {}
    for (const { name, port, tools } of manifests()) {
      const client = await httpClient(it, port, era)
      expect((await client.listTools()).tools).toHaveLength(tools.length)
      clients[name] = client
    }
    const job = await doMainJob(callOver(clients), `http ${era}`)
    expect(job.plan_id).toMatch(/^pln_/)
    await Promise.all(Object.values(clients).map((client) => client.close()))
  })

  test('without the token, or with another, nothing is told', async () => {
    for (const headers of [{}, { authorization: 'Bearer wrong' }] as Record<string, string>[]) {
      for (const { port } of manifests()) {
        const response = await fetch(url(port), {
          method: 'POST',
          headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream', ...headers },
          body: '{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{}}',
        })
        expect(response.status).toBe(401)
        expect(await response.json()).toMatchObject({ error: { code: 'UNAUTHENTICATED' } })
      }
    }
  })
})
