import { open } from '@story-portal/shared/testing'
import { expect, test } from 'vitest'

test('a small budget keeps what is needed next, and says what it left out', async () => {
  const { call } = await open('context-orchestrator')
  const done_steps = Array.from({ length: 100 }, (_, i) => `step ${i} `.padEnd(100, '.'))
  await call('save_context_snapshot', { updates: { next_action: 'Deploy', done_steps, notes: 'n'.repeat(5000) } })
  const { task, omitted } = await call('get_unified_context', { max_tokens: 200 })
  expect(task.checkpoint.next_action).toBe('Deploy')
  expect(JSON.stringify(task.checkpoint).length).toBeLessThanOrEqual(800)
  expect((task.checkpoint.done_steps as string[]).at(-1)).toBe(done_steps.at(-1))
  expect((omitted as { part: string }[]).map(({ part }) => part)).toEqual(['done_steps', 'notes'])
})

test('a folder below the git root is the same project as the root', async () => {
  const there = (cwd: string) =>
    open('context-orchestrator', { caller: { client: { surface: 'stdio', name: 't', cwd } } })
  const { call } = await there(import.meta.dirname)
  await call('save_context_snapshot', { updates: { goal: 'Here' } })
  const { project } = await call('get_unified_context')
  expect(import.meta.dirname.startsWith(project.root as string)).toBe(true)
  expect(import.meta.dirname).not.toBe(project.root)
})

test('another tenant sees nothing of it', async () => {
  const mine = await open('context-orchestrator')
  const { task_id } = await mine.call('save_context_snapshot', { updates: { goal: 'Mine' } })
  const other = await open('context-orchestrator')
  expect(await other.callError('get_unified_context', { task_id })).toMatchObject({ code: 'NOT_FOUND' })
})
