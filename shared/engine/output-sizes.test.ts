import { afterAll, beforeAll, expect, test } from 'vitest'
import { createRecord } from '../data/index.ts'
import type { Tx } from '../db/index.ts'
import { type TestDatabase, testDatabase, testTenant } from '../testing/index.ts'
import { claimTasks, createPlan, finishTask, loadPlan, startPlan, type TaskDefinitionInput } from './index.ts'
import { reconcile } from './reconcile.ts'

let db: TestDatabase
beforeAll(async () => {
  db = await testDatabase()
})
afterAll(() => db.close())

const MEGABYTE = 1024 * 1024

/** A plan whose tasks each return that many bytes, carried out to its end; says how many bytes of answers were loaded most at once. */
async function carriedOut(tasks: TaskDefinitionInput[], bytesOf: (key: string) => number) {
  const scope = testTenant()
  const client = { surface: 'test' as const, name: 't' }
  const caller = { tenant_id: scope.tenant_id, subject: scope.subject, roles: [], scopes: [], client }
  const plan_id = await db.tx(scope, async (tx) => {
    const goal = await createRecord(tx, 'goal', { title: 'g' })
    const { plan } = await createPlan(tx, { goal_id: goal.id, caller, definition: { tasks } })
    await startPlan(tx, plan.id)
    return plan.id
  })
  let most = 0
  for (let idle = 0; idle < 2; ) {
    const claimed = await db.tx(scope, (tx) => claimTasks(tx, { kinds: ['code'], limit: 4, worker: 'w' }))
    idle = claimed.length === 0 ? idle + 1 : 0
    for (const { id: task_id, key, fence } of claimed) {
      const outcome = { status: 'completed' as const, output: 'x'.repeat(bytesOf(key)) }
      const read = await db.tx(scope, async (tx) => {
        const loaded = watched(tx)
        await finishTask(tx, { task_id, fence, outcome })
        return loaded.bytes
      })
      most = Math.max(most, read)
    }
    await reconcile(db, {})
  }
  const { plan, tasks: ended } = await db.tx(scope, (tx) => loadPlan(tx, plan_id))
  return { plan, tasks: ended, most }
}

/** Bytes of task outputs in the answers that a transaction gets. */
function watched(tx: Tx): { bytes: number } {
  const loaded = { bytes: 0 }
  const executor = tx.getExecutor()
  const executeQuery = executor.executeQuery.bind(executor)
  executor.executeQuery = async (...args: Parameters<typeof executeQuery>) => {
    const answer = await executeQuery(...args)
    for (const row of answer.rows as { output?: unknown }[])
      loaded.bytes += typeof row.output === 'string' ? row.output.length : 0
    return answer as never
  }
  return loaded
}

test('a join of more than may be loaded fails with a coded error, and nothing of it is loaded', async () => {
  const keys = Array.from({ length: 36 }, (_, i) => `t${i}`)
  const sources = keys.map((key) => ({ key, kind: 'code' as const, code: 'x' }))
  const join = { key: 'join', kind: 'code' as const, code: 'x', depends_on: keys }
  const { plan, tasks, most } = await carriedOut([...sources, join], () => MEGABYTE)
  expect(plan).toMatchObject({ status: 'failed', phase: 'ended' })
  expect(tasks.find(({ key }) => key === 'join')).toMatchObject({ status: 'failed', error: { number: 'E0605' } })
  expect(most).toBeLessThan(4 * MEGABYTE)
})

test('a fan-out whose outputs are too much for one output fails, and none of them is loaded', async () => {
  const spread = { key: 'spread', kind: 'code' as const, code: 'x', for_each: Array.from({ length: 10 }, (_, i) => i) }
  const { tasks, most } = await carriedOut([spread], () => MEGABYTE)
  expect(tasks.find(({ key }) => key === 'spread')).toMatchObject({ status: 'failed', error: { number: 'E0605' } })
  expect(most).toBeLessThan(4 * MEGABYTE)
})

test('many tasks that are passed one large output are decided in as many transactions as it takes', async () => {
  const readers = Array.from({ length: 14 }, (_, i) => ({
    ...{ key: `r${i}`, kind: 'code' as const, code: 'x', depends_on: ['large'] },
  }))
  const large = { key: 'large', kind: 'code' as const, code: 'x' }
  const { plan, most } = await carriedOut([large, ...readers], (key) => (key === 'large' ? 3 * MEGABYTE : 1))
  expect(plan).toMatchObject({ status: 'completed', progress: { completed: 15 } })
  expect(most).toBeLessThan(40 * MEGABYTE)
})
