import { open } from '@story-portal/shared/testing'
import { expect, test } from 'vitest'

const text = (message: { content: { type: string; text?: string } } | undefined) => message?.content.text ?? ''

test('resume, handoff and checkpoint carry what is saved, for clients without hooks', async () => {
  const { client, call } = await open('context-orchestrator')
  const { prompts } = await client.listPrompts()
  expect(prompts.map(({ name }) => name).toSorted()).toEqual(['checkpoint', 'handoff', 'resume'])
  const prompt = async (name: string, args: Record<string, string> = {}) => {
    const { messages } = await client.getPrompt({ name, arguments: args })
    return text(messages[0] as Parameters<typeof text>[0])
  }
  expect(await prompt('resume')).toContain('[]')
  await expect(client.getPrompt({ name: 'checkpoint' })).rejects.toMatchObject({
    data: { error: { number: 'E14001' } },
  })
  const { task_id } = await call('save_context_snapshot', { updates: { goal: 'Ship', next_action: 'Run the tests' } })
  await call('create_task_context', { project: 'other', title: 'x', updates: { next_action: 'Look elsewhere' } })
  expect(await prompt('resume')).toContain('Next action: Run the tests')
  expect(await prompt('resume', { project: 'other' })).toContain('Next action: Look elsewhere')
  expect(await prompt('checkpoint', { task_id })).toContain('"next_action": "Run the tests"')
  expect(await prompt('handoff', { to: 'the reviewer' })).toMatch(/goes over to the reviewer:[\s\S]*"Ship"/)
  await expect(client.getPrompt({ name: 'handoff' })).rejects.toThrow()
})

test('saved contexts are resources: listed by title, read as JSON, and only the own ones', async () => {
  const { client, call, db } = await open('context-orchestrator')
  const { task_id } = await call('create_task_context', { title: 'Ship it', updates: { goal: 'Ship' } })
  const { resources } = await client.listResources()
  const uri = `context://default/${task_id}`
  expect(resources).toMatchObject([{ uri, title: 'Ship it', mimeType: 'application/json' }])
  const { contents } = await client.readResource({ uri })
  expect(JSON.parse((contents[0] as { text: string }).text)).toMatchObject({ task: { checkpoint: { goal: 'Ship' } } })
  await expect(client.readResource({ uri: 'context://default/tcx_nobody' })).rejects.toThrow()
  const stranger = await open('context-orchestrator', { db })
  await expect(stranger.client.readResource({ uri })).rejects.toThrow()
})
