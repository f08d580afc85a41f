import { open } from '@story-portal/shared/testing'
import { expect, test } from 'vitest'

test('every task once over the pages, the latest saved first', async () => {
  const { call } = await open('context-orchestrator')
  const ids: string[] = []
  for (let i = 0; i < 7; i++) ids.push((await call('create_task_context', { title: `Task ${i}` })).task_id)
  const seen: string[] = []
  let cursor: string | undefined
  do {
    const page = await call('list_task_contexts', { limit: 3, ...(cursor && { cursor }) })
    seen.push(...page.items.map(({ task_id }: { task_id: string }) => task_id))
    cursor = page.next_cursor ?? undefined
  } while (cursor)
  expect(seen.toSorted()).toEqual(ids.toSorted())
  await call('save_context_snapshot', { task_id: ids[2], updates: { goal: 'x' } })
  expect((await call('list_task_contexts')).items[0]).toMatchObject({ task_id: ids[2], version: 2, current: false })
})

test('by state and by words of the title, of one project', async () => {
  const { call } = await open('context-orchestrator')
  const parse = await call('create_task_context', { project: 'a', title: 'Parse the invoices' })
  await call('create_task_context', { project: 'a', title: 'Write the report' })
  await call('create_task_context', { project: 'b', title: 'Parse elsewhere' })
  const done = await call('save_context_snapshot', { task_id: parse.task_id, updates: {}, status: 'completed' })
  expect(done).toMatchObject({ version: 1, changed: ['status'] })
  const titles = async (more: object) =>
    (await call('list_task_contexts', { project: 'a', ...more })).items.map(({ title }: { title: string }) => title)
  expect(await titles({ status: 'completed' })).toEqual(['Parse the invoices'])
  expect(await titles({ status: 'active' })).toEqual(['Write the report'])
  expect(await titles({ query: 'parsing' })).toEqual(['Parse the invoices'])
  expect(await titles({ query: 'elsewhere' })).toEqual([])
})

test('nothing yet is an empty list; an unknown project and a foreign cursor are refused', async () => {
  const { call, callError } = await open('context-orchestrator')
  expect(await call('list_task_contexts')).toEqual({ project: null, items: [], next_cursor: null })
  expect(await callError('list_task_contexts', { project: 'nobody' })).toMatchObject({ code: 'NOT_FOUND' })
  await call('create_task_context', { title: 'T' })
  expect(await callError('list_task_contexts', { cursor: 'abc.def' })).toMatchObject({ number: 'E0014' })
  const other = await open('context-orchestrator')
  expect((await other.call('list_task_contexts')).items).toEqual([])
})
