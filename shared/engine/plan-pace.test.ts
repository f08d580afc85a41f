import { sql } from 'kysely'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createRecord } from '../data/index.ts'
import type { Tx } from '../db/index.ts'
import { type TestDatabase, testDatabase, testTenant } from '../testing/index.ts'
import { claimTasks, createPlan, finishTask, startPlan } from './index.ts'
import { reconcile } from './reconcile.ts'

let db: TestDatabase
const scope = testTenant()
beforeAll(async () => {
  db = await testDatabase()
})
afterAll(() => db.close())

const caller = {
  ...{ tenant_id: scope.tenant_id, subject: scope.subject, roles: [], scopes: [] },
  client: { surface: 'test' as const, name: 't' },
}

/** Chains side by side: each task leads to the one four places on. */
async function startedPlan(size: number): Promise<string> {
  const tasks = Array.from({ length: size }, (_, i) => ({
    ...{ key: `t${i}`, kind: 'code' as const, code: 'x', depends_on: i < 4 ? [] : [`t${i - 4}`], pass_outputs: false },
  }))
  return await db.tx(scope, async (tx) => {
    const goal = await createRecord(tx, 'goal', { title: 'g' })
    const { plan } = await createPlan(tx, { goal_id: goal.id, caller, definition: { tasks } })
    await startPlan(tx, plan.id)
    return plan.id
  })
}

async function finishSome(plan_id: string, wanted: number): Promise<void> {
  for (let done = 0; done < wanted; ) {
    const request = { plan_id, kinds: ['code'] as const, limit: 4, worker: 'w' }
    for (const { id: task_id, fence } of await db.tx(scope, (tx) => claimTasks(tx, request))) {
      await db.tx(scope, (tx) => finishTask(tx, { task_id, fence, outcome: { status: 'completed', output: 1 } }))
      done++
    }
  }
}

/** Rows of the tables that `fn` had read, by scans of every kind; the counters are sent when the session is idle. */
async function rowsRead(fn: () => Promise<void>): Promise<number> {
  const count = async () => {
    const flush = (tx: Tx) => sql`select pg_stat_force_next_flush()`.execute(tx)
    await db.tx(scope, flush)
    await db.tx(scope, flush)
    const { rows } = await sql<{ n: string }>`
      select sum(seq_tup_read + coalesce(idx_tup_fetch, 0)) as n from pg_stat_user_tables
      where relname in ('tasks', 'task_dependencies', 'task_waits', 'invocations', 'streams')`.execute(db.raw)
    return Number(rows[0]?.n ?? 0)
  }
  const before = await count()
  await fn()
  return (await count()) - before
}

test('what a finished task reads does not grow with its plan, also where the planner knew only small ones', async () => {
  const small = await startedPlan(40)
  await finishSome(small, 30)
  const large = await startedPlan(4_000)
  await reconcile(db, {})
  await finishSome(large, 8)
  const read = await rowsRead(() => finishSome(large, 20))
  expect(read / 20).toBeLessThan(200)
})
