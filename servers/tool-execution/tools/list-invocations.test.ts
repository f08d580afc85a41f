import { open } from '@story-portal/shared/testing'
import { expect, test } from 'vitest'

test('lists the latest first, filtered, page by page', async () => {
  const { call, callError } = await open('tool-execution')
  for (const i of [1, 2, 3]) await call('run_code', { code: 'return input', input: i })
  await callError('run_code', { code: 'throw 1' })
  const all = await call('list_invocations', {})
  expect(all.items.map((item: { status: string }) => item.status)).toEqual([
    'failed',
    'succeeded',
    'succeeded',
    'succeeded',
  ])
  expect(all.next_cursor).toBeNull()
  expect(all.items[0]).not.toHaveProperty('logs')
  const good = { status: 'succeeded', kind: 'code' }
  const first = await call('list_invocations', { ...good, limit: 2 })
  const rest = await call('list_invocations', { ...good, limit: 2, cursor: first.next_cursor })
  expect([...first.items, ...rest.items]).toHaveLength(3)
  expect(rest.next_cursor).toBeNull()
  expect((await call('list_invocations', { tool: 'no_such_tool' })).items).toEqual([])
})

test('a cursor of another query and an unknown status are refused', async () => {
  const { call, callError } = await open('tool-execution')
  for (const i of [1, 2]) await call('run_code', { code: 'return input', input: i })
  const { next_cursor: cursor } = await call('list_invocations', { limit: 1 })
  expect(await callError('list_invocations', { limit: 1, status: 'failed', cursor })).toMatchObject({ number: 'E0014' })
  expect(await callError('list_invocations', { status: 'done' })).toMatchObject({ code: 'INVALID_INPUT' })
})
