import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { serveFixture } from '../conformance/serve-fixture.ts'

/** What the suites judge every night, as far as one client of the current protocol can see it; they need an install of their own. */
describe('the fixtures of the conformance suites behind the serving code', () => {
  let it: Awaited<ReturnType<typeof serveFixture>>
  let client: Client
  const asked: string[] = []
  beforeAll(async () => {
    it = await serveFixture()
    client = new Client(
      { name: 'conformance', version: '1' },
      { capabilities: { elicitation: {} }, versionNegotiation: { mode: { pin: '2026-07-28' } } },
    )
    client.setRequestHandler('elicitation/create', ({ params }) => {
      asked.push(params.message)
      return { action: 'accept', content: { name: 'Ada', color: 'blue' } }
    })
    const requestInit = { headers: { Authorization: `Bearer ${it.token}` } }
    await client.connect(new StreamableHTTPClientTransport(new URL(`http://127.0.0.1:${it.port}/mcp`), { requestInit }))
  })
  afterAll(async () => {
    await client?.close()
    await it?.close()
  })

  test('a tool asks twice, one round each, before it answers', async () => {
    const answer = await client.callTool({ name: 'test_input_required_result_multi_round', arguments: {} })
    expect(answer.content).toEqual([{ type: 'text', text: 'both rounds answered' }])
    expect(asked).toEqual(['Step 1: What is your name?', 'Step 2: What is your favorite color?'])
  })

  test('resources and prompts are listed and read', async () => {
    const { resources } = await client.listResources()
    expect(resources.map(({ uri }) => uri)).toContain('test://static-text')
    const read = await client.readResource({ uri: 'test://template/7/data' })
    expect(read.contents).toMatchObject([{ mimeType: 'application/json', text: expect.stringContaining('"id":"7"') }])
    const { messages } = await client.getPrompt({
      name: 'test_prompt_with_arguments',
      arguments: { arg1: 'a', arg2: 'b' },
    })
    expect(messages).toMatchObject([{ content: { text: "Prompt with arguments: arg1='a', arg2='b'" } }])
  })

  test('the gate stands in front of the fixtures too', async () => {
    const response = await fetch(`http://127.0.0.1:${it.port}/mcp`, { method: 'POST', body: '{}' })
    expect(response.status).toBe(401)
  })
})
