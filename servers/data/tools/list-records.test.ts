import { open } from '@story-portal/shared/testing'
import { expect, test } from 'vitest'

async function seeded() {
  const opened = await open('data')
  for (const title of ['paint the boat', 'sail the boat', 'sell the house']) {
    await opened.call('create_record', { kind: 'goal', data: { title } })
  }
  return opened
}

test('filter, words, order and pages', async () => {
  const { call } = await seeded()
  const titles = async (args: object) =>
    (await call('list_records', { kind: 'goal', ...args })).items.map((item: { title: string }) => item.title)
  expect(await titles({ filter: { title: { contains: 'BOAT' } }, sort: 'title' })).toEqual([
    'paint the boat',
    'sail the boat',
  ])
  expect(await titles({ query: 'boats -painting' })).toEqual(['sail the boat'])
  expect(await titles({ sort: '-title' })).toEqual(['sell the house', 'sail the boat', 'paint the boat'])
  const first = await call('list_records', { kind: 'goal', sort: 'title', limit: 2 })
  const second = await call('list_records', { kind: 'goal', sort: 'title', limit: 2, cursor: first.next_cursor })
  expect(second.items.map((item: { title: string }) => item.title)).toEqual(['sell the house'])
  expect(second.next_cursor).toBeNull()
})

test('items are compact: no nulls, no tenant, long values named instead of shown', async () => {
  const { call } = await open('data')
  const data = { title: 'x', constraints: { text: 'y'.repeat(3000) }, labels: { a: 1 } }
  const { record } = await call('create_record', { kind: 'goal', data })
  const { items } = await call('list_records', { kind: 'goal' })
  const { id, version, created_at, updated_at, created_by, status, completes_with } = record
  expect(items).toEqual([
    {
      id,
      version,
      created_at,
      updated_at,
      created_by,
      title: 'x',
      status,
      completes_with,
      labels: { a: 1 },
      omitted: ['constraints'],
    },
  ])
})

test.each([
  ['a filter field', { filter: { titel: 'x' } }, 'filter.titel'],
  ['a filter condition', { filter: { title: { like: 'x' } } }, 'filter.title.like'],
  ['a filter value', { filter: { status: 'done' } }, 'filter.status.eq'],
  ['a sort field', { sort: 'nope' }, 'sort'],
  ['a cursor', { cursor: 'eyJ2IjoxfQ.nope' }, 'cursor'],
])('unknown: %s', async (_name, args, path) => {
  const { callError } = await open('data')
  const error = await callError('list_records', { kind: 'goal', ...args })
  expect(error.code).toBe('INVALID_INPUT')
  expect(error.details?.faults?.map((fault) => fault.path)).toEqual([path])
})

test("a cursor of another tenant's list is refused", async () => {
  const mine = await seeded()
  const { next_cursor } = await mine.call('list_records', { kind: 'goal', limit: 1 })
  const theirs = await seeded()
  const error = await theirs.callError('list_records', { kind: 'goal', limit: 1, cursor: next_cursor })
  expect(error).toMatchObject({ number: 'E0014' })
})
