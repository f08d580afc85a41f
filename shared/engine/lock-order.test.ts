import { afterAll, beforeAll, expect, test } from 'vitest'
import { createRecord } from '../data/index.ts'
import type { Tx } from '../db/index.ts'
import { type TestDatabase, testDatabase, testTenant } from '../testing/index.ts'
import { assertTaskLease, cancelPlan, claimTasks, createPlan, finishTask, loadPlan, startPlan } from './index.ts'
import { lockPlan } from './plan-gate.ts'

let db: TestDatabase
beforeAll(async () => {
  db = await testDatabase()
})
afterAll(() => db.close())

async function claimedTask() {
  const scope = testTenant()
  const client = { surface: 'test' as const, name: 't' }
  const caller = { tenant_id: scope.tenant_id, subject: scope.subject, roles: [], scopes: [], client }
  const plan_id = await db.tx(scope, async (tx) => {
    const goal = await createRecord(tx, 'goal', { title: 'g' })
    const tasks = ['a', 'b'].map((key) => ({ key, kind: 'code' as const, code: 'x' }))
    const { plan } = await createPlan(tx, { goal_id: goal.id, caller, definition: { tasks } })
    await startPlan(tx, plan.id)
    return plan.id
  })
  const [task] = await db.tx(scope, (tx) => claimTasks(tx, { kinds: ['code'], limit: 1, worker: 'w' }))
  if (!task) throw new Error('a task was claimed')
  return { scope, plan_id, task: { task_id: task.id, fence: task.fence } }
}

/** Runs both, each only then on to its second lock when the other has its first; embedded, one transaction runs at a time. */
function crossed(): (mine: 0 | 1) => Promise<void> {
  const reached = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  return async (mine) => {
    reached[mine]?.resolve()
    if (db.mode !== 'embedded') await reached[1 - mine]?.promise
  }
}

// A call of code proves the lease of its task first, which locks the task; whoever ends a task locks the plan's gate first.
test('code that cancels its own plan while its task is ended: one of the two is done again, and both are told the truth', async () => {
  for (let round = 0; round < 3; round++) {
    const { scope, plan_id, task } = await claimedTask()
    const meet = crossed()
    let tries = 0
    const cancel = async (tx: Tx) => {
      tries++
      await assertTaskLease(tx, task)
      await meet(0)
      await cancelPlan(tx, plan_id)
    }
    const finish = async (tx: Tx) => {
      tries++
      await lockPlan(tx, plan_id)
      await meet(1)
      await finishTask(tx, { ...task, outcome: { status: 'completed', output: 1 } })
    }
    const [cancelled, finished] = await Promise.allSettled([db.tx(scope, cancel), db.tx(scope, finish)])
    expect([cancelled.status, finished.status].sort()).toEqual(['fulfilled', 'rejected'])
    const refused = cancelled.status === 'rejected' ? cancelled : (finished as PromiseRejectedResult)
    expect(refused.reason).toMatchObject({ number: 'E0601' })
    // The loser may take the free row before the one that waits for it, and meet it once more.
    if (db.mode !== 'embedded') expect(tries).toBeGreaterThan(2)
    const { plan, tasks } = await db.tx(scope, (tx) => loadPlan(tx, plan_id))
    const won =
      cancelled.status === 'fulfilled' ? ['cancelled', 'cancelled', 'cancelled'] : ['executing', 'completed', 'ready']
    expect([plan.status, ...tasks.map(({ status }) => status)]).toEqual(won)
  }
})
