import { sql } from 'kysely'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createRecord } from '../data/index.ts'
import type { TenantScope, Tx } from '../db/index.ts'
import { type TestDatabase, testDatabase, testTenant } from '../testing/index.ts'
import {
  cancelPlan,
  createPlan,
  releaseBudget,
  reserveBudget,
  setBudget,
  settleBudget,
  startPlan,
  withIdempotency,
} from './index.ts'
import { reconcile } from './reconcile.ts'

let db: TestDatabase
beforeAll(async () => {
  db = await testDatabase()
})
afterAll(() => db.close())

async function budget(
  scope: TenantScope,
  name = 'tenant',
): Promise<{ spent: number; reserved: number; limit: number }> {
  const { rows } = await db.tx(scope, (tx) =>
    sql<{ spent: string; reserved: string; limit_amount: string }>`
      select spent, reserved, limit_amount from core.budgets where scope = ${name} and unit = 'tokens'`.execute(tx),
  )
  const [row] = rows
  return { spent: Number(row?.spent), reserved: Number(row?.reserved), limit: Number(row?.limit_amount) }
}

const charge = (id: string, amount: number, more: object = {}) => ({
  invocation_id: id,
  unit: 'tokens',
  amount,
  ...more,
})

test('a reservation holds in every scope or in none, and is paid once', async () => {
  const scope = testTenant()
  await db.tx(scope, async (tx) => {
    await setBudget(tx, 'tenant', 'tokens', 100)
    await setBudget(tx, 'run:r1', 'tokens', 30)
  })
  const reserve = (id: string, amount: number, more = {}) =>
    db.tx(scope, (tx) => reserveBudget(tx, charge(id, amount, more)))
  await reserve('i1', 20, { run_id: 'r1', agent_id: 'unlimited' })
  await reserve('i1', 20, { run_id: 'r1' })
  expect(await budget(scope, 'run:r1')).toEqual({ spent: 0, reserved: 20, limit: 30 })
  await expect(reserve('i2', 20, { run_id: 'r1' })).rejects.toMatchObject({
    number: 'E0510',
    details: { scope: 'run:r1', amount: 20, unit: 'tokens' },
  })
  expect(await budget(scope)).toMatchObject({ reserved: 20 })
  expect(await db.tx(scope, (tx) => settleBudget(tx, 'i1', 'tokens', 12))).toEqual({ overrun: 0 })
  expect(await budget(scope)).toEqual({ spent: 12, reserved: 0, limit: 100 })
  expect(await budget(scope, 'run:r1')).toEqual({ spent: 12, reserved: 0, limit: 30 })
  expect(await db.tx(scope, (tx) => settleBudget(tx, 'i1', 'tokens', 12))).toEqual({ overrun: 0 })
  await reserve('i3', 18, { run_id: 'r1' })
  expect(await db.tx(scope, (tx) => settleBudget(tx, 'i3', 'tokens', 25))).toEqual({ overrun: 7 })
  expect(await budget(scope, 'run:r1')).toEqual({ spent: 30, reserved: 0, limit: 30 })
  await reserve('i4', 5)
  await db.tx(scope, (tx) => releaseBudget(tx, 'i4', 'tokens'))
  expect(await budget(scope)).toEqual({ spent: 30, reserved: 0, limit: 100 })
})

test('forty at once: the limit is never passed and nothing leaks', async () => {
  const scope = testTenant()
  await db.tx(scope, (tx) => setBudget(tx, 'tenant', 'tokens', 100))
  const tries = Array.from({ length: 40 }, (_, i) =>
    db
      .tx(scope, (tx) => reserveBudget(tx, charge(`i${i}`, 7)))
      .then(
        () => true,
        (error: { number: string }) => {
          expect(error.number).toBe('E0510')
          return false
        },
      ),
  )
  const granted = (await Promise.all(tries)).filter(Boolean).length
  expect(granted).toBe(14)
  expect(await budget(scope)).toEqual({ spent: 0, reserved: 98, limit: 100 })
})

test.each([-1, Number.NaN, Number.POSITIVE_INFINITY])('%d is no amount', async (amount) => {
  await expect(db.tx(testTenant(), (tx) => reserveBudget(tx, charge('i', amount)))).rejects.toMatchObject({
    number: 'E0511',
  })
})

const idempotent = (more = {}) => ({ ...{ tool: 'create_goal', key: 'k', args_hash: 'h', subject: 'user:a' }, ...more })

test('a key gives its first result for ever, per tenant, subject and tool', async () => {
  const scope = testTenant()
  let runs = 0
  const once = (more = {}, where: TenantScope = scope) =>
    db.tx(where, (tx) => withIdempotency(tx, idempotent(more), async () => ({ run: ++runs })))
  expect(await once()).toEqual({ result: { run: 1 }, replayed: false })
  expect(await once()).toEqual({ result: { run: 1 }, replayed: true })
  await expect(once({ args_hash: 'other' })).rejects.toMatchObject({ number: 'E0015' })
  expect(await once({ subject: 'user:b' })).toEqual({ result: { run: 2 }, replayed: false })
  expect(await once({ tool: 'create_plan' })).toMatchObject({ replayed: false })
  expect(await once({}, testTenant())).toMatchObject({ replayed: false })
})

test('a key is forgotten after 30 days and not before', async () => {
  const scope = testTenant()
  const call = () => db.tx(scope, (tx) => withIdempotency(tx, idempotent(), async () => 1))
  await call()
  db.advance(29 * 86_400_000)
  await reconcile(db, {})
  expect(await call()).toMatchObject({ replayed: true })
  db.advance(2 * 86_400_000)
  await reconcile(db, {})
  expect(await call()).toMatchObject({ replayed: false })
})

test("a key of a plan's task is kept as long as the plan has not ended, however long that takes", async () => {
  const scope = testTenant()
  const client = { surface: 'test' as const, name: 't' }
  const caller = { tenant_id: scope.tenant_id, subject: scope.subject, roles: [], scopes: [], client }
  const { planId, taskId } = await db.tx(scope, async (tx) => {
    const goal = await createRecord(tx, 'goal', { title: 'g' })
    const tasks = [{ key: 'a', kind: 'assistant' as const, instructions: 'x' }]
    const made = await createPlan(tx, { goal_id: goal.id, caller, definition: { tasks } })
    await startPlan(tx, made.plan.id)
    return { planId: made.plan.id, taskId: made.tasks[0]?.id }
  })
  const key = `task/${taskId}/calls/0/abc`
  const call = () => db.tx(scope, (tx) => withIdempotency(tx, idempotent({ key }), async () => 1))
  await call()
  for (let month = 0; month < 3; month++) {
    db.advance(31 * 86_400_000)
    await reconcile(db, {})
    expect(await call()).toMatchObject({ replayed: true })
  }
  await db.tx(scope, (tx) => cancelPlan(tx, planId))
  db.advance(31 * 86_400_000)
  await reconcile(db, {})
  expect(await call()).toMatchObject({ replayed: false })
})

test('a call that fails leaves its key free, and one result is recorded however many come at once', async () => {
  const scope = testTenant()
  const run = (fn: (tx: Tx) => Promise<unknown>) =>
    db.tx(scope, (tx) => withIdempotency(tx, idempotent(), () => fn(tx)))
  await expect(run(() => Promise.reject(new Error('no')))).rejects.toThrow()
  let runs = 0
  const all = await Promise.all(Array.from({ length: 12 }, () => run(async () => ++runs)))
  expect(all.filter(({ replayed }) => !replayed)).toHaveLength(1)
  expect(new Set(all.map(({ result }) => result)).size).toBe(1)
  expect(await run(async () => undefined)).toMatchObject({ replayed: true })
})
