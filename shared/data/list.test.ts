import fc from 'fast-check'
import { expect, test } from 'vitest'
import { checkProperty, fileDatabase, testTenant } from '../testing/index.ts'
import { createRecord, createRecords, deleteRecord, type ListOptions, listRecords, type RecordOf } from './index.ts'

async function seeded(count = 23) {
  const db = await fileDatabase()
  const scope = testTenant()
  const rows = Array.from({ length: count }, (_, i) => ({
    target_kind: i % 2 === 0 ? 'even' : 'odd',
    target_id: `t${i}`,
    rating: i % 5 === 0 ? null : i % 4,
    comment: i % 3 === 0 ? `the pump fails at ${i} degrees` : null,
    labels: i % 6 === 0 ? { team: 'red', n: i } : null,
  }))
  await db.tx(scope, (tx) => createRecords(tx, 'feedback', rows))
  const list = (options: ListOptions) => db.tx(scope, (tx) => listRecords(tx, 'feedback', options))
  return { db, scope, list }
}

async function walk(
  list: (options: ListOptions) => Promise<{ items: RecordOf<'feedback'>[]; next_cursor: string | null }>,
  options: ListOptions,
) {
  const items: RecordOf<'feedback'>[] = []
  let cursor: string | undefined
  for (let page = 0; page < 50; page++) {
    const found = await list({ ...options, ...(cursor ? { cursor } : {}) })
    items.push(...found.items)
    if (!found.next_cursor) return items
    cursor = found.next_cursor
  }
  throw new Error('the pages have no end')
}

test('pages of any size and order hold every row once, in order, nulls last', async () => {
  const { list } = await seeded()
  const options = fc.record({
    limit: fc.integer({ min: 1, max: 25 }),
    sort: fc.constantFrom(
      'rating',
      '-rating',
      'comment',
      '-comment',
      'created_at',
      '-created_at',
      'id',
      '-id',
      'version',
      'target_kind',
    ),
  })
  await checkProperty(
    'keyset pages',
    options,
    async ({ limit, sort }) => {
      const items = await walk(list, { limit, sort })
      expect(new Set(items.map((item) => item.id)).size).toBe(23)
      const field = sort.replace('-', '') as 'rating'
      const values = items.map((item) => item[field])
      const known = values.filter((value) => value !== null)
      expect(values.slice(0, known.length)).toEqual(known)
      const down = sort.startsWith('-')
      const ordered = field === 'rating' || field === ('version' as string)
      if (ordered) expect(known).toEqual([...known].sort((a, b) => (down ? b - a : a - b)))
    },
    { runs: 25 },
  )
})

test('rows that come while someone pages move no other row', async () => {
  const { db, scope, list } = await seeded(10)
  const first = await list({ limit: 4, sort: 'target_id' })
  await db.tx(scope, (tx) => createRecord(tx, 'feedback', { target_kind: 'new', target_id: 't0_before' }))
  await db.tx(scope, (tx) => createRecord(tx, 'feedback', { target_kind: 'new', target_id: 't9_after' }))
  const rest = await walk(list, { limit: 4, sort: 'target_id', cursor: first.next_cursor ?? '' } as ListOptions).catch(
    () => [],
  )
  const seen = await list({ limit: 200, sort: 'target_id', cursor: first.next_cursor ?? '' })
  expect(rest.length).toBeGreaterThan(0)
  expect(seen.items.map((item) => item.target_id)).toEqual(['t4', 't5', 't6', 't7', 't8', 't9', 't9_after'])
})

test.each<[string, ListOptions['filter'], number]>([
  ['a value', { target_kind: 'even' }, 12],
  ['null', { rating: null }, 5],
  ['a list', { target_id: ['t1', 't2', 'zz'] }, 2],
  ['ne with nulls', { rating: { ne: 1 } }, 18],
  ['ne null', { rating: { ne: null } }, 18],
  ['eq null', { comment: { eq: null } }, 15],
  ['a range', { rating: { gte: 1, lt: 3 } }, 10],
  ['gt and lte', { rating: { gt: 1, lte: 2 } }, 5],
  ['contains on text, taken literally', { comment: { contains: 'PUMP' } }, 8],
  ['contains, no wildcard', { comment: { contains: 'p_mp' } }, 0],
  ['contains on JSON', { labels: { contains: { team: 'red' } } }, 4],
  ['eq on JSON', { labels: { eq: { n: 6, team: 'red' } } }, 1],
  ['is_null false', { labels: { is_null: false } }, 4],
  ['two fields', { target_kind: 'odd', comment: { is_null: false } }, 4],
  ['base columns', { version: 1, created_by: 'user:test', created_at: { gt: '2020-01-01T00:00:00Z' } }, 23],
  ['in numbers', { rating: { in: [1, 2] } }, 10],
])('filter: %s', async (_name, filter, expected) => {
  const { list } = await seeded()
  expect((await list({ filter, limit: 200 })).items).toHaveLength(expected)
})

test.each<[string, ListOptions, string]>([
  ['unknown field', { filter: { nope: 1 } }, 'filter.nope'],
  ['the tenant is not yours to choose', { filter: { tenant_id: 'other' } }, 'filter.tenant_id'],
  ['unknown operator', { filter: { rating: { like: 1 } } }, 'filter.rating.like'],
  ['operator of another type', { filter: { labels: { gt: 1 } } }, 'filter.labels.gt'],
  ['wrong type', { filter: { rating: 'much' } }, 'filter.rating.eq'],
  ['empty list', { filter: { rating: { in: [] } } }, 'filter.rating.in'],
  ['half a surrogate pair', { filter: { comment: 'a\ud800' } }, 'filter.comment'],
  ['NUL', { filter: { comment: { contains: 'a\0' } } }, 'filter.comment.contains'],
  ['unknown sort', { sort: 'nope' }, 'sort'],
  ['sort by JSON', { sort: 'labels' }, 'sort'],
  ['NUL in query', { query: 'a\0' }, 'query'],
])('refused with its path: %s', async (_name, options, path) => {
  const { list } = await seeded(1)
  await expect(list(options)).rejects.toMatchObject({ code: 'INVALID_INPUT', details: { faults: [{ path }] } })
})

test('words find rows by their stems, best match first; kinds without text say so', async () => {
  const { db, scope, list } = await seeded()
  await db.tx(scope, (tx) =>
    createRecord(tx, 'feedback', { target_kind: 'x', target_id: 'best', comment: 'pump pump pump' }),
  )
  const found = await walk(list, { query: 'pumps', limit: 3 })
  expect(found).toHaveLength(9)
  expect(found[0]?.target_id).toBe('best')
  expect((await list({ query: '"pump fails" -12' })).items).toHaveLength(7)
  expect((await list({ query: 'the' })).items).toHaveLength(8)
  expect((await list({ query: '!!! ((' })).items).toHaveLength(0)
  const runs = db.tx(scope, (tx) => listRecords(tx, 'run', { query: 'x' }))
  await expect(runs).rejects.toMatchObject({ number: 'E0405', details: { faults: [{ path: 'query' }] } })
})

test('deleted rows are left out unless asked for', async () => {
  const { db, scope, list } = await seeded(3)
  const [first] = (await list({})).items
  await db.tx(scope, (tx) => deleteRecord(tx, 'feedback', first?.id ?? ''))
  expect((await list({})).items).toHaveLength(2)
  expect((await list({ includeDeleted: true })).items).toHaveLength(3)
})

test('a cursor is good for its own query only', async () => {
  const { db, scope, list } = await seeded()
  const { next_cursor } = await list({ limit: 2, filter: { target_kind: 'even' } })
  const cursor = next_cursor ?? ''
  const bad = { number: 'E0014', code: 'INVALID_INPUT', details: { faults: [{ path: 'cursor' }] } }
  expect((await list({ limit: 5, filter: { target_kind: 'even' }, cursor })).items).toHaveLength(5)
  const flipped = `${cursor.slice(0, 5)}${cursor[5] === 'A' ? 'B' : 'A'}${cursor.slice(6)}`
  for (const other of [
    flipped,
    cursor.slice(0, -2),
    `${cursor}x`,
    'x',
    '.',
    '',
    cursor.split('.')[0] ?? '',
    '\0',
    'é.é',
  ]) {
    await expect(list({ limit: 2, filter: { target_kind: 'even' }, cursor: other })).rejects.toMatchObject(bad)
  }
  await expect(list({ limit: 2, cursor })).rejects.toMatchObject(bad)
  await expect(list({ limit: 2, filter: { target_kind: 'odd' }, cursor })).rejects.toMatchObject(bad)
  await expect(list({ limit: 2, filter: { target_kind: 'even' }, sort: 'id', cursor })).rejects.toMatchObject(bad)
  await expect(list({ limit: 2, filter: { target_kind: 'even' }, includeDeleted: true, cursor })).rejects.toMatchObject(
    bad,
  )
  const foreign = { ...scope, tenant_id: testTenant().tenant_id }
  const theirs = db.tx(foreign, (tx) => listRecords(tx, 'feedback', { filter: { target_kind: 'even' }, cursor }))
  await expect(theirs).rejects.toMatchObject(bad)
})

test('a text too long for the search vector is kept whole, and found by its beginning', async () => {
  const { db, scope } = await seeded(0)
  const long = Array.from({ length: 33_000 }, (_, i) => String.fromCodePoint(0x20000 + i) + (i % 7))
    .join(' ')
    .slice(0, 100_000)
  await db.tx(scope, (tx) =>
    createRecord(tx, 'agent', { name: 'x', role: long.slice(0, 20_000), instructions: `pilot ${long}` }),
  )
  const found = await db.tx(scope, (tx) => listRecords(tx, 'agent', { query: 'pilots' }))
  expect(found.items.map((agent) => agent.instructions?.length)).toEqual([long.length + 6])
})
