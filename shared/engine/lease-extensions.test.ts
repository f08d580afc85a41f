import { sql } from 'kysely'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createRecord } from '../data/index.ts'
import type { TenantScope, Tx } from '../db/index.ts'
import { type TestDatabase, testDatabase, testTenant } from '../testing/index.ts'
import { extendCall } from './call-record.ts'
import {
  type CallSpec,
  type ClaimedTask,
  claimTasks,
  createPlan,
  executeCall,
  extendLease,
  finishTask,
  type InvocationRecord,
  releaseTask,
  startPlan,
  voidOlderBoots,
} from './index.ts'
import { reconcile } from './reconcile.ts'

let db: TestDatabase
let scope: TenantScope
beforeAll(async () => {
  db = await testDatabase()
  scope = testTenant()
})
afterAll(() => db.close())

const tx = <T>(fn: (tx: Tx) => Promise<T>): Promise<T> => db.tx(scope, fn)
const callerOf = ({ tenant_id, subject }: TenantScope) => ({
  ...{ tenant_id, subject, roles: [], scopes: [] },
  client: { surface: 'test' as const, name: 't' },
})

/** Claimed tasks of a new plan. */
async function claimed(...keys: string[]): Promise<ClaimedTask[]> {
  scope = testTenant()
  await tx(async (tx) => {
    const goal = await createRecord(tx, 'goal', { title: 'g' })
    const tasks = keys.map((key) => ({ key, kind: 'code' as const, code: 'x' }))
    const { plan } = await createPlan(tx, { goal_id: goal.id, caller: callerOf(scope), definition: { tasks } })
    await startPlan(tx, plan.id)
  })
  return await claim()
}

const claim = () => tx((tx) => claimTasks(tx, { kinds: ['code'], limit: 10, worker: 'w', lease_ms: 60_000 }))
const extend = ({ id, fence }: ClaimedTask, lease_ms = 60_000) =>
  tx((tx) => extendLease(tx, { task_id: id, fence, lease_ms }))
const end = ({ id, fence }: ClaimedTask) =>
  tx((tx) => finishTask(tx, { task_id: id, fence, outcome: { status: 'completed', output: 1 } }))

async function eventsOf(stream: string): Promise<number> {
  const { rows } = await tx((tx) =>
    sql<{ n: number }>`select count(*)::int as n from core.events where stream = ${stream}`.execute(tx),
  )
  return rows[0]?.n ?? 0
}

test('a task whose lease was extended 100 times has as many events as one that was not', async () => {
  const [long, short] = await claimed('long', 'short')
  if (!long || !short) throw new Error('two tasks were claimed')
  for (let i = 0; i < 100; i++) await extend(long)
  await end(long)
  await end(short)
  const events = await eventsOf(`task/${short.id}`)
  expect(events).toBeGreaterThan(0)
  expect(await eventsOf(`task/${long.id}`)).toBe(events)
})

test('an extended task stays with its worker until the extension ends, and the next lease knows nothing of it', async () => {
  const [task] = await claimed('a')
  if (!task) throw new Error('a task was claimed')
  const { lease_expires_at } = await extend(task, 180_000)
  expect((await extend(task, 1_000)).lease_expires_at).toBe(lease_expires_at)
  db.advance(120_000)
  await reconcile(db, {})
  expect(await claim()).toEqual([])
  db.advance(61_000)
  await reconcile(db, {})
  const [second] = await claim()
  expect(second).toMatchObject({ id: task.id, fence: 2 })
  if (!second) throw new Error('the task was claimed again')
  await expect(extend(task)).rejects.toMatchObject({ number: 'E0601' })
  await extend(second, 600_000)
  await tx((tx) => releaseTask(tx, { task_id: second.id, fence: second.fence }))
  await claim()
  // Ten minutes under fence 2 are no minute under fence 3.
  db.advance(61_000)
  await reconcile(db, {})
  const [fourth] = await claim()
  expect(fourth).toMatchObject({ fence: 4 })
  expect((await tx((tx) => extendLease(tx, { task_id: task.id, fence: 4 }))).lease_expires_at < lease_expires_at).toBe(
    false,
  )
})

/** A call that is dispatched until `answer` is called. */
async function underWay(key: string, more: Partial<CallSpec> = {}) {
  const answered = Promise.withResolvers<void>()
  const held = Promise.withResolvers<InvocationRecord>()
  const spec: CallSpec = {
    ...{ scope, caller: callerOf(scope), key, kind: 'code', arguments: {}, effect: 'pure', lease_ms: 60_000 },
    async dispatch({ invocation }) {
      held.resolve(invocation)
      await answered.promise
      return { output: 1 }
    },
    ...more,
  }
  const done = executeCall(db, spec)
  return { spec, done, answer: answered.resolve, invocation: await held.promise }
}

test('a call whose lease was extended 100 times has as many events as one that was not', async () => {
  const long = await underWay('long')
  for (let i = 0; i < 100; i++) expect(await extendCall(db, scope, long.invocation, 60_000)).toBe(true)
  const short = await underWay('short')
  for (const call of [long, short]) {
    call.answer()
    expect(await call.done).toMatchObject({ status: 'succeeded', replayed: false })
  }
  const events = await eventsOf(`invocation/${short.invocation.id}`)
  expect(events).toBeGreaterThan(0)
  expect(await eventsOf(`invocation/${long.invocation.id}`)).toBe(events)
  expect(await extendCall(db, scope, long.invocation, 60_000)).toBe(false)
})

test('an extended call is busy until its extension ends, and one that was handed back is free at once', async () => {
  const call = await underWay('kept')
  await extendCall(db, scope, call.invocation, 180_000)
  db.advance(120_000)
  const again = { ...call.spec, timeout_ms: 10, dispatch: async () => ({ output: 'second' }) }
  await expect(executeCall(db, again)).rejects.toMatchObject({ code: 'UNAVAILABLE' })
  await extendCall(db, scope, call.invocation, 0)
  expect(await executeCall(db, again)).toMatchObject({ status: 'succeeded', output: 'second', fence: 2 })
  call.answer()
  expect(await call.done).toMatchObject({ output: 'second', replayed: true })
})

test('a new boot frees the calls of dead processes, extended or not, and leaves no mark in their history', async () => {
  const dead = await underWay('dead', { owner: 'boot:old' })
  await extendCall(db, scope, dead.invocation, 3_600_000)
  const events = await eventsOf(`invocation/${dead.invocation.id}`)
  await voidOlderBoots(db, 'new')
  expect(await eventsOf(`invocation/${dead.invocation.id}`)).toBe(events)
  const taken = await executeCall(db, { ...dead.spec, owner: 'boot:new', dispatch: async () => ({ output: 'new' }) })
  expect(taken).toMatchObject({ output: 'new', fence: 2 })
  dead.answer()
  expect(await dead.done).toMatchObject({ output: 'new' })
})

test('what holders left behind is removed once it has ended, and nothing that somebody still holds', async () => {
  const [held, ended] = await claimed('held', 'ended')
  if (!held || !ended) throw new Error('two tasks were claimed')
  for (const task of [held, ended]) await extend(task)
  await end(ended)
  const left = async () => {
    const { rows } = await tx((tx) => sql<{ id: string }>`select id from core.lease_extensions`.execute(tx))
    return rows.map(({ id }) => id).sort()
  }
  await reconcile(db, {})
  expect(await left()).toEqual([held.id, ended.id].sort())
  db.advance(130_000)
  await extend(held, 600_000)
  await reconcile(db, {})
  expect(await left()).toEqual([held.id])
})
