import { sql } from 'kysely'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createRecord } from '../data/index.ts'
import type { TenantScope } from '../db/index.ts'
import { silentLog, type TestDatabase, testDatabase, testTenant } from '../testing/index.ts'
import {
  claimTasks,
  createPlan,
  ENGINE_CHANNEL,
  finishTask,
  leadership,
  leaseOwner,
  loadPlan,
  readWake,
  startPlan,
  startReconciler,
  type TaskDefinitionInput,
  voidOlderBoots,
  type Wake,
} from './index.ts'

let db: TestDatabase
beforeAll(async () => {
  db = await testDatabase({ STORY_PORTAL_RECONCILE_MS: '200' })
})
afterAll(() => db.close())

async function startedPlan(tasks: TaskDefinitionInput[]): Promise<{ scope: TenantScope; planId: string }> {
  const scope = testTenant()
  const client = { surface: 'test' as const, name: 't' }
  const caller = { tenant_id: scope.tenant_id, subject: scope.subject, roles: [], scopes: [], client }
  const planId = await db.tx(scope, async (tx) => {
    const goal = await createRecord(tx, 'goal', { title: 'g' })
    const { plan } = await createPlan(tx, { goal_id: goal.id, caller, definition: { tasks } })
    await startPlan(tx, plan.id)
    return plan.id
  })
  return { scope, planId }
}

const claim = (scope: TenantScope, worker: string) =>
  db.tx(scope, (tx) => claimTasks(tx, { kinds: ['code', 'assistant'], limit: 10, worker, lease_ms: 3_600_000 }))

test('one of two processes leads, and the other follows when its lease ends or it leaves', async () => {
  const a = leadership(db, 'test', 'boot:a', 10_000)
  const b = leadership(db, 'test', 'boot:b', 10_000)
  expect([await a.take(), await b.take(), await a.take()]).toEqual([true, false, true])
  db.advance(11_000)
  expect([await b.take(), await a.take()]).toEqual([true, false])
  await b.release()
  expect(await a.take()).toBe(true)
})

test('a new boot takes the tasks of dead processes at once and leaves those of assistants', async () => {
  const { scope, planId } = await startedPlan([
    { key: 'run', kind: 'code', code: 'x' },
    { key: 'mine', kind: 'code', code: 'x' },
    { key: 'write', kind: 'assistant' },
  ])
  const take = (kinds: ('code' | 'assistant')[], worker: string) =>
    db.tx(scope, (tx) => claimTasks(tx, { kinds, limit: 1, worker, lease_ms: 3_600_000 }))
  const [old] = await take(['code'], leaseOwner('old'))
  await take(['code'], leaseOwner('new'))
  await take(['assistant'], 'user:ann')
  expect(await voidOlderBoots(db, 'new')).toBe(1)
  const { tasks } = await db.tx(scope, (tx) => loadPlan(tx, planId))
  expect(tasks.map(({ status }) => status)).toEqual(['ready', 'running', 'running'])
  const [again] = await claim(scope, leaseOwner('new'))
  expect(again).toMatchObject({ key: 'run', fence: 2, attempt: 1 })
  const late = finishTask
  await expect(
    db.tx(scope, (tx) =>
      late(tx, {
        task_id: old?.id ?? '',
        lease_token: old?.lease_token ?? '',
        outcome: { status: 'completed', output: 1 },
      }),
    ),
  ).rejects.toMatchObject({ number: 'E0601' })
})

test('the running reconciler gives expired leases back, and wakes for tasks nobody took and for due retries', async () => {
  const { scope } = await startedPlan([
    { key: 'lost', kind: 'code', code: 'x' },
    { key: 'flaky', kind: 'code', code: 'x', retry: { max_attempts: 2, backoff_ms: 150 } },
  ])
  const heard: Wake[] = []
  const unlisten = await db.listen(ENGINE_CHANNEL, (payload) => {
    const message = readWake(payload)
    if (message?.tenant_id === scope.tenant_id) heard.push(message)
  })
  const reconciler = await startReconciler({ db, boot_id: 'here', config: db.config, log: silentLog })
  const claimed = await claim(scope, leaseOwner('here'))
  const flaky = claimed.find(({ key }) => key === 'flaky')
  await db.tx(scope, (tx) =>
    finishTask(tx, { task_id: flaky?.id ?? '', fence: 1, outcome: { status: 'failed', error: {}, retryable: true } }),
  )
  // The retry is due soon by the database's clock, and the wake-up for it comes without any other sign.
  await expect.poll(() => heard.filter(({ what }) => what === 'tasks').length, { timeout: 20_000 }).toBeGreaterThan(0)
  expect((await claim(scope, leaseOwner('here'))).map(({ key, attempt }) => [key, attempt])).toEqual([['flaky', 2]])
  db.advance(3_601_000)
  await expect
    .poll(async () => (await claim(scope, leaseOwner('there'))).map(({ key }) => key), { timeout: 20_000 })
    .toContain('lost')
  await reconciler.stop()
  await unlisten()
})

test('a strange payload wakes nobody', () => {
  expect(readWake('{not json')).toBeUndefined()
})

test('a round that fails is given up, and the next one works', async () => {
  const warnings: unknown[] = []
  let broken = true
  const shaky = Object.create(db, {
    tx: { value: (...args: Parameters<typeof db.tx>) => (broken ? Promise.reject(new Error('gone')) : db.tx(...args)) },
    mode: { value: 'postgres' },
  })
  const log = { ...silentLog, warn: (entry: unknown) => warnings.push(entry), info: () => {} }
  const reconciler = await startReconciler({ db: shaky, boot_id: 'shaky', config: db.config, log: log as never })
  await expect.poll(() => warnings.length, { timeout: 20_000 }).toBeGreaterThan(0)
  broken = false
  expect(await reconciler.tick()).toBeGreaterThanOrEqual(0)
  await reconciler.stop()
})

test('rows that can not be put right stop no other row, of their tenant or another, and no later step', async () => {
  const timed = { kind: 'code' as const, code: 'x', timeout_ms: 1_000, retry: { max_attempts: 1 } }
  const broken = await startedPlan([{ key: 'no-plan', ...timed }])
  const other = await startedPlan([{ key: 'late', ...timed }])
  const twins = await startedPlan([
    { key: 'bad', kind: 'code', code: 'x' },
    { key: 'good', kind: 'code', code: 'x' },
  ])
  for (const { scope } of [broken, other, twins]) await claim(scope, leaseOwner('here'))
  // A task without its plan's counters, and one whose stream has an event more than the row knows.
  await sql`delete from core.plan_progress where plan_id = ${broken.planId}`.execute(db.raw)
  await sql`update core.streams set version = version + 1 where stream in (
    select 'task/' || id from core.tasks where plan_id = ${twins.planId} and key = 'bad')`.execute(db.raw)
  const warnings: { id?: string; step?: string }[] = []
  const log = { ...silentLog, warn: (entry: object) => warnings.push(entry), info: () => {} }
  const options = { db, boot_id: 'here', config: db.config, log: log as never }
  const reconciler = await startReconciler(options)
  db.advance(2_000)
  await reconciler.tick()
  const statuses = async ({ scope, planId }: typeof other) =>
    (await db.tx(scope, (tx) => loadPlan(tx, planId))).tasks.map(({ status }) => status)
  expect(await statuses(other)).toEqual(['failed'])
  db.advance(3_601_000)
  await reconciler.tick()
  expect((await statuses(twins)).toSorted()).toEqual(['ready', 'running'])
  expect(warnings.length).toBeGreaterThan(0)
  expect(warnings.filter(({ step }) => step !== undefined)).toEqual([])
  await reconciler.stop()
})
