import { sql } from 'kysely'
import { expect, test } from 'vitest'
import { fileDatabase, testTenant } from '../testing/index.ts'
import { appendEvents, type Fold, foldStream } from './index.ts'

const sum: Fold<number> = { name: 'sum', initial: 0, every: 10, apply: (state, event) => state + Number(event.data) }

test('a snapshot saves reading, and losing it changes no answer', async () => {
  const db = await fileDatabase()
  const scope = testTenant()
  const add = (numbers: number[]) =>
    db.tx(scope, (tx) =>
      appendEvents(
        tx,
        numbers.map((n) => ({ stream: 'account/1', type: 'amount.added', data: n })),
      ),
    )
  const fold = () => db.tx(scope, (tx) => foldStream(tx, 'account/1', sum))
  await add(Array.from({ length: 25 }, (_, i) => i + 1))
  expect(await fold()).toEqual({ state: 325, version: 25, read: 25 })
  expect(await fold()).toEqual({ state: 325, version: 25, read: 0 })
  await add([1000])
  expect(await fold()).toEqual({ state: 1325, version: 26, read: 1 })
  await db.tx(scope, (tx) => sql`delete from core.snapshots`.execute(tx))
  expect(await fold()).toEqual({ state: 1325, version: 26, read: 26 })
  const other = await db.tx(testTenant(), (tx) => foldStream(tx, 'account/1', sum))
  expect(other).toEqual({ state: 0, version: 0, read: 0 })
})
