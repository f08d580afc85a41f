import { sql } from 'kysely'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createRecord } from '../data/index.ts'
import { createJobs } from '../jobs/index.ts'
import { silentLog, type TestDatabase, testDatabase, testTenant } from '../testing/index.ts'
import {
  claimTasks,
  createPlan,
  decideApproval,
  executeCall,
  loadPlan,
  parkCall,
  parkTask,
  startPlan,
  untilDecided,
} from './index.ts'
import { reconcile } from './reconcile.ts'

let db: TestDatabase
beforeAll(async () => {
  db = await testDatabase()
})
afterAll(() => db.close())

test('the call of a task that waits for a person is left to the task, however long that takes', async () => {
  const scope = testTenant()
  const client = { surface: 'test' as const, name: 't' }
  const caller = { tenant_id: scope.tenant_id, subject: scope.subject, roles: [], scopes: [], client }
  const plan_id = await db.tx(scope, async (tx) => {
    const goal = await createRecord(tx, 'goal', { title: 'g' })
    const tasks = [{ key: 'a', kind: 'code' as const, code: 'x' }]
    const { plan } = await createPlan(tx, { goal_id: goal.id, caller, definition: { tasks } })
    await startPlan(tx, plan.id)
    return plan.id
  })
  const [task] = await db.tx(scope, (tx) => claimTasks(tx, { kinds: ['code'], limit: 1, worker: 'w' }))
  if (!task) throw new Error('a task was claimed')
  const name = 'tool-execution.invoke_tool'
  const inner = { caller, key: 'inner', kind: 'tool', tool: 'x', arguments: {}, effect: 'pure' } as const
  const call = {
    scope,
    caller,
    key: 'outer',
    kind: 'server_tool',
    tool: name,
    arguments: {},
    effect: 'journaled',
  } as const
  const asked = async () => {
    const intent = { ...inner, task_id: task.id }
    return { output: await db.tx(scope, (tx) => parkCall(tx, intent, { expires_ms: 3_600_000 })) }
  }
  const outer = { ...call, task_id: task.id, dispatch: untilDecided(name, asked) }
  await expect(executeCall(db, outer)).rejects.toMatchObject({ number: 'E0512' })
  const { output } = await asked()
  await db.tx(scope, (tx) => parkTask(tx, { task_id: task.id, fence: task.fence }, output.invocation.id))

  const jobs = await createJobs({ db, log: silentLog, poll_ms: 100 })
  db.advance(60_000)
  await reconcile(db, { jobs })
  const { rows } = await sql`select from pgboss.job where name = 'engine.calls'`.execute(db.raw)
  expect(rows).toHaveLength(0)
  await db.tx(scope, (tx) => decideApproval(tx, jobs, output.approval.id, { decision: 'approve', decided_by: 'p' }))
  expect((await db.tx(scope, (tx) => loadPlan(tx, plan_id))).tasks[0]?.status).toBe('ready')
  await jobs.stop()
})
