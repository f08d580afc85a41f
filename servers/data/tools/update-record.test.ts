import { open } from '@story-portal/shared/testing'
import { expect, test } from 'vitest'

test('fields and states change, the version counts', async () => {
  const { call } = await open('data')
  const { record } = await call('create_record', { kind: 'agent', data: { name: 'Ada' } })
  const args = { kind: 'agent', id: record.id }
  const one = await call('update_record', {
    ...args,
    changes: { status: 'active', role: 'reviewer' },
    expected_version: 1,
  })
  expect(one.record).toMatchObject({ version: 2, status: 'active', role: 'reviewer', name: 'Ada' })
  const two = await call('update_record', { ...args, changes: { role: null } })
  expect(two.record).toMatchObject({ version: 3, role: null })
})

test.each([
  ['an unknown id', { id: 'gol_x' }, 'NOT_FOUND', undefined],
  ['an unknown field', { changes: { titel: 'x' } }, 'INVALID_INPUT', 'changes.titel'],
  ['a base field', { changes: { version: 9 } }, 'INVALID_INPUT', 'changes.version'],
  ['nothing', { changes: {} }, 'INVALID_INPUT', 'changes'],
  ['null where there must be a value', { changes: { title: null } }, 'INVALID_INPUT', 'changes.title'],
  ['a move that is not allowed', { changes: { status: 'completed' } }, 'CONFLICT', 'changes.status'],
  ['a state that does not exist', { changes: { status: 'done' } }, 'INVALID_INPUT', 'changes.status'],
  ['another version', { changes: { title: 'y' }, expected_version: 5 }, 'CONFLICT', 'expected_version'],
  ['NUL', { changes: { description: '\0' } }, 'INVALID_INPUT', 'changes.description'],
])('%s is refused and changes nothing', async (_name, args, code, path) => {
  const { call, callError } = await open('data')
  const { record } = await call('create_record', { kind: 'goal', data: { title: 'x' } })
  const error = await callError('update_record', { kind: 'goal', id: record.id, changes: { title: 'y' }, ...args })
  expect(error.code).toBe(code)
  expect(error.details?.faults?.[0]?.path).toBe(path)
  expect((await call('get_record', { kind: 'goal', id: record.id })).record).toEqual(record)
})

test('what the platform keeps is refused, with the tool that may', async () => {
  const { callError } = await open('data')
  const error = await callError('update_record', { kind: 'plan', id: 'pln_x', changes: { status: 'executing' } })
  expect(error).toMatchObject({ number: 'E0403', code: 'CONFLICT', hint: expect.stringContaining('run_plan') })
})

test('64 parallel writers of one record: no acknowledged write is lost, versions have no gap', async () => {
  const { call, callError } = await open('data')
  const { record } = await call('create_record', { kind: 'goal', data: { title: 'x', labels: {} } })
  const write = async (n: number): Promise<number> =>
    (await call('update_record', { kind: 'goal', id: record.id, changes: { labels: { n } } })).record.version
  const versions = await Promise.all(Array.from({ length: 64 }, (_, n) => write(n)))
  expect(versions.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 64 }, (_, i) => i + 2))
  const { items } = await call('get_record_history', { kind: 'goal', id: record.id, limit: 200 })
  expect(items.map((item: { version: number }) => item.version)).toEqual(Array.from({ length: 65 }, (_, i) => i + 1))
  // Every acknowledged value is in the history at the version that was acknowledged for it.
  for (const [n, version] of versions.entries()) expect(items[version - 1].changes.labels.to).toEqual({ n })
  const stale = await callError('update_record', {
    kind: 'goal',
    id: record.id,
    changes: { title: 'z' },
    expected_version: 64,
  })
  expect(stale).toMatchObject({ number: 'E0012', details: { actual: 65 } })
}, 120_000)

test('of 32 writers that expect the same version one wins', async () => {
  const { call, callError } = await open('data')
  const { record } = await call('create_record', { kind: 'goal', data: { title: 'x' } })
  const write = (title: string) =>
    call('update_record', { kind: 'goal', id: record.id, changes: { title }, expected_version: 1 }).then(
      () => 'won',
      () => 'lost',
    )
  const outcomes = await Promise.all(Array.from({ length: 32 }, (_, i) => write(`t${i}`)))
  expect(outcomes.filter((outcome) => outcome === 'won')).toHaveLength(1)
  expect(
    await callError('update_record', { kind: 'goal', id: record.id, changes: { title: 'y' }, expected_version: 1 }),
  ).toMatchObject({
    details: { actual: 2 },
  })
}, 120_000)

test('a reader may not', async () => {
  const { callError } = await open('data', { caller: { roles: ['reader'] } })
  const error = await callError('update_record', { kind: 'goal', id: 'gol_x', changes: { title: 'x' } })
  expect(error).toMatchObject({ code: 'DENIED' })
})
