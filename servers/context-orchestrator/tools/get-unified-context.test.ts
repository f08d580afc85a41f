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

test('links, conflicts and marks count in the budget: of each the last are cut first, and said to be', async () => {
  const { call } = await open('context-orchestrator')
  const notes = Array.from({ length: 60 }, (_, i) => `done ${i} `.padEnd(60, '.'))
  const { task_id } = await call('create_task_context', { title: 'Main', updates: { goal: 'x', done_steps: notes } })
  for (let i = 0; i < 25; i++) {
    const { task_id: target_id } = await call('create_task_context', { title: `${'Other'.padEnd(60, '.')} ${i}` })
    await call('link_tasks', { task_id, relation: 'related_to', target_id })
  }
  const label = (i: number) => `mark ${i} ${'y'.repeat(60)}`
  for (let i = 0; i < 5; i++) await call('create_checkpoint', { task_id, label: label(i) })
  const files = Array.from({ length: 12 }, (_, i) => `src/parser-${i}.ts`)
  await call('save_context_snapshot', { task_id, updates: { locked_elements: files.map((element) => ({ element })) } })
  const key_files = files.map((file) => ({ path: file }))
  await call('create_task_context', { title: 'Fork', updates: { key_files } })
  await call('detect_conflicts')
  const whole = await call('get_unified_context', { task_id, max_tokens: 100_000 })
  expect(whole.omitted).toEqual([{ part: 'relationships', items: 5 }])
  expect([whole.relationships.length, whole.conflicts.length, whole.checkpoints.length]).toEqual([20, 12, 5])
  for (const max_tokens of [100, 300, 1_000]) {
    const { task, omitted, ...rest } = await call('get_unified_context', { task_id, max_tokens })
    const cut = new Map((omitted as { part: string; items: number }[]).map(({ part, items }) => [part, items]))
    const counted = { ...task.checkpoint }
    for (const [part, all] of [
      ['relationships', 25],
      ['conflicts', 12],
      ['checkpoints', 5],
    ] as const) {
      expect(rest[part]).toEqual(whole[part].slice(0, rest[part].length))
      expect(cut.get(part) ?? 0).toBe(all - rest[part].length)
      if (rest[part].length > 0) counted[part] = rest[part]
    }
    expect(JSON.stringify(counted).length).toBeLessThanOrEqual(max_tokens * 4)
  }
  const { relationships, conflicts, checkpoints } = await call('get_unified_context', { task_id, max_tokens: 1_000 })
  for (const shared of [relationships, conflicts, checkpoints]) expect(shared.length).toBeGreaterThan(0)
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
