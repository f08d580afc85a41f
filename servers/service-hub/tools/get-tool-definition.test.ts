import { open } from '@story-portal/shared/testing'
import { expect, test } from 'vitest'

test('the definition is the one the server itself publishes', async () => {
  const { call, host, caller } = await open('service-hub', { with: ['planning'] })
  const { definition } = await call('get_tool_definition', { server: 'planning', tool: 'create_goal' })
  const published = (await host.definitions('planning', caller)).find(({ name }) => name === 'create_goal')
  expect(definition).toMatchObject({
    server: 'planning',
    tool: 'create_goal',
    description: published?.description,
    input_schema: published?.inputSchema,
    output_schema: published?.outputSchema,
  })
})

test('as TypeScript it is one function type, and shorter', async () => {
  const { call } = await open('service-hub', { with: ['planning'] })
  const args = { server: 'planning', tool: 'create_goal' }
  const { definition } = await call('get_tool_definition', { ...args, format: 'typescript' })
  expect(definition.typescript).toMatch(/^\(args: \{\n[\s\S]*title: string[\s\S]*\) => Promise<\{[\s\S]*\}>$/)
  expect(definition.input_schema).toBeUndefined()
  const json = await call('get_tool_definition', args)
  expect(JSON.stringify(definition).length).toBeLessThan(JSON.stringify(json.definition).length)
})

test('an unknown tool or server is named with the likely one', async () => {
  const { callError } = await open('service-hub', { with: ['planning'] })
  expect(await callError('get_tool_definition', { server: 'planning', tool: 'create_gaol' })).toMatchObject({
    number: 'E0009',
    hint: 'Did you mean create_goal?',
  })
  expect(await callError('get_tool_definition', { server: 'planing', tool: 'x' })).toMatchObject({
    number: 'E0010',
    hint: 'Did you mean planning?',
  })
  expect(await callError('get_tool_definition', { server: 'registered', tool: 'never_registered' })).toMatchObject({
    number: 'E0009',
  })
})

test('without a tool it is the declarations of the whole server; a registered tool has a name', async () => {
  const { call, callError, host } = await open('service-hub', { with: ['tool-execution'] })
  const { definition } = await call('get_tool_definition', { server: 'tool-execution' })
  expect(definition.typescript).toMatch(/^declare const tools: \{\n {2}tool_execution: \{/)
  for (const tool of host.servers.get('tool-execution')?.tools.keys() ?? [])
    expect(definition.typescript).toContain(`\n    ${tool}: (args: `)
  expect(await callError('get_tool_definition', { server: 'registered' })).toMatchObject({
    number: 'E0001',
    details: { faults: [{ path: 'tool' }] },
  })
})
