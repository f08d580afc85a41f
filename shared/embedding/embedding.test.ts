import { sql } from 'kysely'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Tx } from '../db/index.ts'
import { testDatabase, testTenant } from '../testing/database.ts'
import { fuse } from './fuse.ts'
import { HASH_MODEL, hashVector } from './hash-model.ts'
import { nearest, storeEmbedding } from './store.ts'

let db: Awaited<ReturnType<typeof testDatabase>>
beforeAll(async () => {
  db = await testDatabase()
})
afterAll(() => db.close())

const cosine = (a: readonly number[], b: readonly number[]) => a.reduce((sum, value, i) => sum + value * (b[i] ?? 0), 0)

test('a vector has length 1, other forms of a word are near, other words are not', () => {
  const near = (a: string, b: string) => cosine(hashVector(a), hashVector(b))
  expect(near('convert a csv file', 'convert a csv file')).toBeCloseTo(1)
  expect(near('converting CSV files', 'convert csv file')).toBeGreaterThan(0.4)
  expect(near('readFileSync', 'read_file')).toBeGreaterThan(0.5)
  expect(Math.abs(near('convert csv', 'hash password'))).toBeLessThan(0.25)
  expect(hashVector(' .,! ')).toEqual(new Array(256).fill(0))
})

const TEXTS = {
  a: 'Converts tables between CSV and JSON',
  b: 'Renders a template with values',
  c: 'Computes a SHA-256 digest of a text',
}

async function store(tx: Tx): Promise<void> {
  for (const [id, text] of Object.entries(TEXTS)) await storeEmbedding(tx, 'test', { id, text })
}

const withoutPgvector = (tx: Tx): Tx =>
  new Proxy(tx, {
    get(target, name) {
      const value: unknown = name === 'vector' ? false : Reflect.get(target, name, target)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })

test('the nearest come first, the same with pgvector and without it, and of this tenant only', async () => {
  const scope = testTenant()
  await db.tx(scope, store)
  await db.tx(testTenant(), (tx) => storeEmbedding(tx, 'test', { id: 'theirs', text: 'converting csv' }))
  const found = await db.tx(scope, async (tx) => ({
    fast: await nearest(tx, 'test', 'converting csv', { limit: 2 }),
    plain: await nearest(withoutPgvector(tx), 'test', 'converting csv', { limit: 2 }),
    other: await nearest(tx, 'nothing', 'converting csv', { limit: 2 }),
  }))
  expect(found.fast.map(({ id }) => id)[0]).toBe('a')
  expect(found.fast.map(({ id }) => id)).not.toContain('theirs')
  expect(found.plain.map(({ id }) => id)).toEqual(found.fast.map(({ id }) => id))
  found.plain.forEach(({ similarity }, i) => {
    expect(similarity).toBeCloseTo(found.fast[i]?.similarity ?? 0, 4)
  })
  expect(found.other).toEqual([])
})

test('the vector of a changed text replaces the old one', async () => {
  const scope = testTenant()
  const [first, second] = await db.tx(scope, async (tx) => {
    await store(tx)
    const before = await nearest(tx, 'test', 'digest', { limit: 1 })
    await storeEmbedding(tx, 'test', { id: 'b', text: 'digest digest' })
    return [before, await nearest(tx, 'test', 'digest', { limit: 1 })]
  })
  expect([first?.[0]?.id, second?.[0]?.id]).toEqual(['c', 'b'])
  const { rows } = await db.tx(scope, (tx) =>
    sql<{ model: string; n: number }>`select model, count(*)::int as n from core.embeddings group by 1`.execute(tx),
  )
  expect(rows).toEqual([{ model: HASH_MODEL, n: 3 }])
})

test('fused rankings: what several have comes before what one has', () => {
  const fused = fuse({ text: ['x', 'y', 'z'], vector: ['q', 'y'] })
  expect(fused[0]).toMatchObject({ id: 'y', by: ['text', 'vector'] })
  expect(fused.map(({ id }) => id)).toEqual(['y', 'q', 'x', 'z'])
})
