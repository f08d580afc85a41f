import { sql } from 'kysely'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Caller } from '../auth/index.ts'
import { createRecord, getRecord, inMs, rebuildRecord, updateRecord } from '../data/index.ts'
import type { TenantScope, Tx } from '../db/index.ts'
import type { Jobs } from '../jobs/index.ts'
import { type TestDatabase, testDatabase, testTenant } from '../testing/index.ts'
import { tenantsQuery } from './claims.ts'
import {
  type ClaimedTask,
  type ClaimRequest,
  cancelPlan,
  claimAcrossTenants,
  claimTasks,
  createPlan,
  executeCall,
  extendLease,
  finishTask,
  loadPlan,
  type PlanDefinitionInput,
  pausePlan,
  registeredTools,
  releaseTask,
  resumePlan,
  revisePlan,
  runPlan,
  startPlan,
  type TaskDefinitionInput,
  type TaskOutcome,
} from './index.ts'
import { reconcile } from './reconcile.ts'

let db: TestDatabase
beforeAll(async () => {
  db = await testDatabase()
})
afterAll(() => db.close())

const code = (key: string, more: Partial<TaskDefinitionInput> = {}): TaskDefinitionInput => ({
  ...{ key, kind: 'code' as const, code: 'return 1' },
  ...more,
})
const after = (key: string, ...depends_on: string[]) => code(key, { depends_on })
const ok = (output: unknown = null): TaskOutcome => ({ status: 'completed', output })
const fail = (retryable = false): TaskOutcome => ({ status: 'failed', error: { code: 'INTERNAL' }, retryable })

/** One tenant with one plan, driven by hand. */
class Bench {
  readonly scope: TenantScope = testTenant()
  readonly caller: Caller
  planId = ''
  goalId = ''
  held = new Map<string, ClaimedTask>()

  constructor() {
    const client = { surface: 'test' as const, name: 't' }
    this.caller = { tenant_id: this.scope.tenant_id, subject: this.scope.subject, roles: [], scopes: [], client }
  }

  static async of(definition: PlanDefinitionInput | TaskDefinitionInput[]): Promise<Bench> {
    const bench = new Bench()
    const whole = Array.isArray(definition) ? { tasks: definition } : definition
    await bench.tx(async (tx) => {
      bench.goalId = (await createRecord(tx, 'goal', { title: 'Ship', constraints: { max: 3 } })).id
      const { plan } = await createPlan(tx, { goal_id: bench.goalId, caller: bench.caller, definition: whole })
      bench.planId = plan.id
      await startPlan(tx, plan.id)
    })
    return bench
  }

  tx<T>(fn: (tx: Tx) => Promise<T>): Promise<T> {
    return db.tx(this.scope, fn)
  }

  async claim(more: Partial<ClaimRequest> = {}): Promise<string[]> {
    const request = { kinds: ['code', 'tool'] as const, limit: 100, worker: 'w', lease_ms: 60_000, ...more }
    const claimed = await this.tx((tx) => claimTasks(tx, request))
    for (const task of claimed) this.held.set(task.key, task)
    return claimed.map(({ key }) => key)
  }

  async end(key: string, outcome: TaskOutcome = ok()) {
    const task = this.held.get(key)
    if (!task) throw new Error(`${key} is not held`)
    return await this.tx((tx) => finishTask(tx, { task_id: task.id, lease_token: task.lease_token, outcome }))
  }

  input(key: string): unknown {
    return this.held.get(key)?.input
  }

  async state() {
    const { plan, tasks } = await this.tx((tx) => loadPlan(tx, this.planId))
    const goal = await this.tx((tx) => getRecord(tx, 'goal', this.goalId))
    return { plan, goal, tasks, by: Object.fromEntries(tasks.map((task) => [task.key, task.status])) }
  }
}

test('outputs flow along bindings, and the goal ends with the result of the last tasks', async () => {
  const bench = await Bench.of({
    tasks: [
      code('fetch'),
      code('sum', {
        depends_on: ['fetch'],
        input: {
          all: '{{tasks.fetch.output.items}}',
          first: 'no. {{tasks.fetch.output.items[0].n}}',
          goal: '{{goal.title}}',
          max: '{{goal.constraints.max}}',
          mode: '{{plan.input.mode}}',
        },
      }),
    ],
    input: { mode: 'full' },
  })
  expect(await bench.claim()).toEqual(['fetch'])
  await bench.end('fetch', ok({ items: [{ n: 7 }] }))
  expect(await bench.claim()).toEqual(['sum'])
  expect(bench.input('sum')).toMatchObject({
    all: [{ n: 7 }],
    first: 'no. 7',
    goal: 'Ship',
    max: 3,
    mode: 'full',
    fetch: { items: [{ n: 7 }] },
  })
  expect(await bench.end('sum', ok(42))).toMatchObject({ plan: { status: 'completed' } })
  const { plan, goal } = await bench.state()
  expect(plan).toMatchObject({ status: 'completed', tasks_completed: 2, phase: 'ended' })
  expect(goal).toMatchObject({ status: 'completed', result: { sum: 42 } })
})

test('rows and events of a plan agree: every record can be rebuilt from its stream (I1)', async () => {
  const bench = await Bench.of([code('a', { for_each: [1, 2] }), after('b', 'a')])
  await bench.claim()
  await bench.end('a[0]')
  await bench.end('a[1]')
  await bench.claim()
  await bench.end('b')
  const { tasks, plan } = await bench.state()
  await bench.tx(async (tx) => {
    for (const task of tasks) expect(await rebuildRecord(tx, 'task', task.id)).toEqual(task)
    expect(await rebuildRecord(tx, 'plan', plan.id)).toEqual(await getRecord(tx, 'plan', plan.id))
  })
})

test('a failed task ends the plan once what runs has ended; nothing else starts', async () => {
  const bench = await Bench.of([code('a'), code('b'), after('c', 'a'), after('d', 'b')])
  expect(await bench.claim()).toEqual(['a', 'b'])
  await bench.end('a', fail())
  expect((await bench.state()).by).toEqual({ a: 'failed', b: 'running', c: 'cancelled', d: 'cancelled' })
  expect(await bench.claim()).toEqual([])
  await bench.end('b', fail(true))
  const { plan, goal } = await bench.state()
  expect(plan).toMatchObject({ status: 'failed', error: { number: 'E0607', key: 'a' } })
  expect(goal).toMatchObject({ status: 'failed', error: { number: 'E0607' } })
})

test('a failing plan does not wait for a task whose worker was lost', async () => {
  const bench = await Bench.of([code('a'), code('b')])
  await bench.claim()
  await bench.end('a', fail())
  db.advance(61_000)
  await reconcile(db, {})
  const { plan, by } = await bench.state()
  expect(by).toEqual({ a: 'failed', b: 'cancelled' })
  expect(plan.status).toBe('failed')
})

test('continue_on_failure lets the others go on; who binds the missing output is skipped', async () => {
  const lenient = code('a', { continue_on_failure: true })
  const binds = code('b', { depends_on: ['a'], input: { x: '{{tasks.a.output}}' } })
  const bench = await Bench.of([lenient, binds, after('c', 'a'), after('d', 'b')])
  await bench.claim()
  await bench.end('a', fail())
  expect((await bench.state()).by).toEqual({ a: 'failed', b: 'skipped', c: 'ready', d: 'skipped' })
  await bench.claim()
  await bench.end('c')
  expect((await bench.state()).plan.status).toBe('completed')
})

test('retries wait by the database clock and count; a lost lease is no attempt', async () => {
  const bench = await Bench.of([code('a', { retry: { max_attempts: 3, backoff_ms: 60_000, factor: 2 } })])
  await bench.claim()
  await bench.end('a', fail(true))
  expect(await bench.claim()).toEqual([])
  db.advance(61_000)
  expect(await bench.claim()).toEqual(['a'])
  expect(bench.held.get('a')).toMatchObject({ attempt: 2, fence: 2, max_attempts: 3 })
  db.advance(61_000)
  expect(await reconcile(db, {})).toBeGreaterThan(0)
  expect(await bench.claim()).toEqual(['a'])
  expect(bench.held.get('a')).toMatchObject({ attempt: 2, fence: 3 })
  await bench.end('a', fail(true))
  db.advance(61_000)
  expect(await bench.claim()).toEqual([])
  db.advance(60_000)
  await bench.claim()
  await bench.end('a', fail(true))
  const { tasks, plan } = await bench.state()
  expect(tasks[0]).toMatchObject({ status: 'failed', attempts: 3, fence: 4 })
  expect(plan.status).toBe('failed')
})

test("a lease proves itself by token or fence, and only while it is the task's", async () => {
  const bench = await Bench.of([code('a')])
  await bench.claim()
  const task = bench.held.get('a') as ClaimedTask
  const { lease_expires_at } = await bench.tx((tx) =>
    extendLease(tx, { task_id: task.id, fence: 1, lease_ms: 120_000 }),
  )
  expect(lease_expires_at > task.lease_expires_at).toBe(true)
  const lost = { number: 'E0601' }
  await expect(bench.tx((tx) => extendLease(tx, { task_id: task.id, lease_token: 'x' }))).rejects.toMatchObject(lost)
  await expect(bench.tx((tx) => finishTask(tx, { task_id: task.id, outcome: ok() }))).rejects.toMatchObject(lost)
  await expect(bench.tx((tx) => finishTask(tx, { task_id: task.id, fence: 2, outcome: ok() }))).rejects.toMatchObject(
    lost,
  )
  await bench.tx((tx) => finishTask(tx, { task_id: task.id, fence: 1, outcome: ok() }))
  await expect(bench.end('a')).rejects.toMatchObject(lost)
  await expect(bench.tx((tx) => extendLease(tx, { task_id: 'tsk_none', fence: 1 }))).rejects.toMatchObject({
    code: 'NOT_FOUND',
  })
})

test('a passed deadline ends the attempt and its lease', async () => {
  const bench = await Bench.of([code('a', { timeout_ms: 5_000, retry: { max_attempts: 2, backoff_ms: 0 } })])
  await bench.claim()
  db.advance(6_000)
  await reconcile(db, {})
  await expect(bench.end('a')).rejects.toMatchObject({ number: 'E0601' })
  expect(await bench.claim()).toEqual(['a'])
  db.advance(6_000)
  await reconcile(db, {})
  const { tasks, plan } = await bench.state()
  expect(tasks[0]).toMatchObject({ status: 'failed', attempts: 2, error: { number: 'E0608' } })
  expect(plan.status).toBe('failed')
})

test('a task that kills its workers one after the other is given up', async () => {
  const bench = await Bench.of([code('a')])
  for (let i = 0; i < 25; i++) {
    await bench.claim()
    db.advance(61_000)
    await reconcile(db, {})
  }
  expect((await bench.state()).tasks[0]).toMatchObject({ status: 'failed', error: { number: 'E0609' } })
})

test('pause stops claiming and resume goes on', async () => {
  const bench = await Bench.of([code('a'), after('b', 'a')])
  await bench.claim()
  await bench.tx((tx) => pausePlan(tx, bench.planId, { reason: 'lunch' }))
  await bench.end('a')
  expect((await bench.state()).by).toEqual({ a: 'completed', b: 'ready' })
  expect(await bench.claim()).toEqual([])
  await expect(bench.tx((tx) => pausePlan(tx, bench.planId))).rejects.toMatchObject({ number: 'E0606' })
  await expect(bench.tx((tx) => startPlan(tx, bench.planId))).rejects.toMatchObject({ number: 'E0606' })
  await bench.tx((tx) => resumePlan(tx, bench.planId))
  expect(await bench.claim()).toEqual(['b'])
  await bench.tx((tx) => pausePlan(tx, bench.planId))
  await bench.end('b')
  expect((await bench.state()).plan).toMatchObject({ status: 'completed', phase: 'ended' })
})

test('cancel fences every lease, and compensates in the reverse order of completion', async () => {
  const undo = (key: string) => ({ compensate: { code: 'return 1', input: { undo: key, was: '{{task.output.n}}' } } })
  const bench = await Bench.of([
    code('a', undo('a')),
    code('b', { ...undo('b'), depends_on: ['a'] }),
    code('c', { depends_on: ['b'] }),
    code('d', { depends_on: ['c'], ...undo('d') }),
  ])
  for (const [key, n] of [
    ['a', 1],
    ['b', 2],
  ] as const) {
    await bench.claim()
    await bench.end(key, ok({ n }))
  }
  await bench.claim()
  const cancelled = await bench.tx((tx) => cancelPlan(tx, bench.planId, { reason: 'changed my mind' }))
  expect(cancelled).toMatchObject({ status: 'cancelled', phase: 'compensating' })
  await expect(bench.end('c')).rejects.toMatchObject({ number: 'E0601' })
  await expect(bench.tx((tx) => cancelPlan(tx, bench.planId))).rejects.toMatchObject({ number: 'E0606' })
  expect(await bench.claim()).toEqual(['b~undo'])
  expect(bench.input('b~undo')).toEqual({ undo: 'b', was: 2 })
  await bench.end('b~undo', fail())
  expect(await bench.claim()).toEqual(['a~undo'])
  await bench.end('a~undo')
  const { plan, by, goal } = await bench.state()
  expect(plan).toMatchObject({ status: 'cancelled', phase: 'ended', progress: { total: 6, pending: 0 } })
  expect(goal.status).toBe('cancelled')
  expect(by).toEqual({
    a: 'completed',
    b: 'completed',
    c: 'cancelled',
    d: 'cancelled',
    'b~undo': 'failed',
    'a~undo': 'completed',
  })
})

test('a failed plan stays executing until its compensations have ended, killed workers or not', async () => {
  const bench = await Bench.of([code('a', { compensate: { code: 'return 1' } }), after('b', 'a')])
  await bench.claim()
  await bench.end('a', ok('made'))
  await bench.claim()
  await bench.end('b', fail())
  expect((await bench.state()).plan).toMatchObject({ status: 'executing', phase: 'compensating' })
  await expect(bench.tx((tx) => cancelPlan(tx, bench.planId))).rejects.toMatchObject({ number: 'E0606' })
  expect(await bench.claim()).toEqual(['a~undo'])
  db.advance(61_000)
  await reconcile(db, {})
  expect(await bench.claim()).toEqual(['a~undo'])
  expect(bench.input('a~undo')).toMatchObject({ output: 'made' })
  await bench.end('a~undo')
  expect((await bench.state()).plan).toMatchObject({ status: 'failed', phase: 'ended', error: { key: 'b' } })
})

test('a compensation that can not be bound is a failed one, and the plan still ends', async () => {
  const bench = await Bench.of([
    code('a', { compensate: { code: 'x', input: '{{task.output.gone}}' } }),
    after('b', 'a'),
  ])
  await bench.claim()
  await bench.end('a', ok({}))
  await bench.claim()
  await bench.end('b', fail())
  const { plan, by } = await bench.state()
  expect(by['a~undo']).toBe('failed')
  expect(plan.status).toBe('failed')
})

test('a condition reads outputs of near and far tasks, also for a tool', async () => {
  const tool = { kind: 'tool' as const, tool: 'x' }
  const bench = await Bench.of([
    code('a'),
    after('b', 'a'),
    { key: 'near', ...tool, depends_on: ['b'], when: 'tasks.b.output.n == 2' },
    { key: 'far', ...tool, depends_on: ['b'], when: 'tasks.a.output.n == 1 and tasks.b.output.n == 2' },
    { key: 'both', ...tool, depends_on: ['a'], input: { n: '{{tasks.a.output.n}}' } },
  ])
  await bench.claim()
  await bench.end('a', ok({ n: 1 }))
  await bench.claim()
  expect(bench.input('both')).toEqual({ n: 1 })
  await bench.end('b', ok({ n: 2 }))
  expect((await bench.claim()).toSorted()).toEqual(['far', 'near'])
})

test('for_each runs a task per item and gathers their outputs in order', async () => {
  const bench = await Bench.of([
    code('list'),
    code('each', { depends_on: ['list'], for_each: '{{tasks.list.output}}', input: { n: '{{item}}' } }),
    code('none', { for_each: [] }),
    code('sum', {
      depends_on: ['each', 'none'],
      input: { all: '{{tasks.each.output}}', none: '{{tasks.none.output}}' },
    }),
  ])
  await bench.claim()
  await bench.end('list', ok([10, 20, 30]))
  expect((await bench.claim()).toSorted()).toEqual(['each[0]', 'each[1]', 'each[2]'])
  expect(bench.input('each[2]')).toEqual({ n: 30, item: 30, index: 2 })
  for (const i of [2, 0, 1]) await bench.end(`each[${i}]`, ok(i))
  await bench.claim()
  expect(bench.input('sum')).toMatchObject({ all: [0, 1, 2], none: [] })
  await bench.end('sum')
  expect((await bench.state()).plan).toMatchObject({ status: 'completed', progress: { total: 7, completed: 7 } })
})

test('an item that fails fails its fan-out after the others have run', async () => {
  const bench = await Bench.of([code('each', { for_each: [1, 2] }), after('b', 'each')])
  await bench.claim()
  await bench.end('each[0]', fail())
  expect((await bench.state()).by['each']).toBe('waiting')
  await bench.end('each[1]')
  const { by, plan, tasks } = await bench.state()
  expect(by).toMatchObject({ each: 'failed', b: 'cancelled' })
  expect(tasks[0]).toMatchObject({ error: { number: 'E0610' } })
  expect(plan.status).toBe('failed')
})

test('an input that can not be bound fails its task with a code and the plan with it', async () => {
  const bench = await Bench.of([code('a'), code('b', { depends_on: ['a'], input: { x: '{{tasks.a.output.gone}}' } })])
  await bench.claim()
  await bench.end('a', ok({}))
  const { tasks, plan } = await bench.state()
  expect(tasks[1]).toMatchObject({
    status: 'failed',
    error: { number: 'E0602', message: expect.stringContaining('gone') },
  })
  expect(plan.status).toBe('failed')
})

test('an output that is too large or can not be stored is refused, and the lease stays', async () => {
  const bench = await Bench.of([code('a')])
  await bench.claim()
  await expect(bench.end('a', ok('x'.repeat(4_200_000)))).rejects.toMatchObject({ number: 'E0605' })
  await expect(bench.end('a', ok('\0'))).rejects.toMatchObject({ code: 'INVALID_INPUT' })
  expect(await bench.end('a', ok(1))).toMatchObject({ plan: { status: 'completed' } })
})

test('max_parallel bounds the leases, also of claims at the same moment', async () => {
  const bench = await Bench.of({ tasks: Array.from({ length: 8 }, (_, i) => code(`t${i}`)), max_parallel: 3 })
  const claims = await Promise.all([1, 2, 3].map(() => bench.claim({ limit: 2 })))
  const first = claims.flat()
  expect(first.length).toBeLessThanOrEqual(3)
  await bench.claim()
  expect(bench.held.size).toBe(3)
  await bench.end(first[0] ?? '')
  expect(await bench.claim()).toHaveLength(1)
})

test('plans at their max_parallel leave the claim to the others of the tenant', async () => {
  const many = Array.from({ length: 20 }, (_, i) => code(`t${i}`))
  const bench = await Bench.of({ tasks: many, max_parallel: 1 })
  const add = (tasks: TaskDefinitionInput[], max_parallel?: number) =>
    bench.tx(async (tx) => {
      const goal = await createRecord(tx, 'goal', { title: 'Next' })
      const definition = { tasks, ...(max_parallel === undefined ? {} : { max_parallel }) }
      const { plan } = await createPlan(tx, { goal_id: goal.id, caller: bench.caller, definition })
      await startPlan(tx, plan.id)
    })
  expect(await bench.claim({ limit: 8 })).toHaveLength(1)
  await add([code('newer')])
  expect(await bench.claim({ limit: 8 })).toEqual(['newer'])
  // More full plans than one claim locks, and after them one with a place.
  for (let i = 0; i < 21; i++) await add([code(`full${i}`), code(`full${i}b`)], 1)
  for (let i = 0; i < 21; i++) await bench.claim({ limit: 1 })
  expect(await bench.claim({ limit: 8 })).toEqual([])
  await add([code('last'), code('last2')], 1)
  expect(await bench.claim({ limit: 8 })).toHaveLength(1)
})

test('capabilities, kinds and the plan narrow what is claimed', async () => {
  const bench = await Bench.of([
    { key: 'write', kind: 'assistant', capabilities: ['write'] },
    { key: 'any', kind: 'assistant' },
    code('run'),
  ])
  expect(await bench.claim({ kinds: ['assistant'], capabilities: ['read'] })).toEqual(['any'])
  expect(await bench.claim({ kinds: ['assistant'], plan_id: 'pln_other' })).toEqual([])
  expect(await bench.claim({ kinds: ['assistant'], capabilities: ['read', 'write'] })).toEqual(['write'])
  expect(await bench.claim({ kinds: [], limit: 5 })).toEqual([])
})

test('work of every tenant is found, a fair share of each', async () => {
  const benches = await Promise.all([1, 2, 3].map(() => Bench.of(Array.from({ length: 5 }, (_, i) => code(`t${i}`)))))
  const tenants = new Set(benches.map(({ scope }) => scope.tenant_id))
  const claimed = await claimAcrossTenants(db, { kinds: ['code'], limit: 300, worker: 'x' })
  expect(claimed.filter(({ tenant_id }) => tenants.has(tenant_id))).toHaveLength(15)
  expect(claimed.every(({ caller, tenant_id }) => caller.tenant_id === tenant_id)).toBe(true)
})

test('the look for tenants with work reads no more of each than one claim can take', async () => {
  for (let i = 0; i < 3; i++) await Bench.of(Array.from({ length: 400 }, (_, n) => code(`t${n}`)))
  await sql`analyze core.tasks`.execute(db.raw)
  await sql`analyze core.plan_progress`.execute(db.raw)
  const { rows: tenants } = await sql`select distinct tenant_id from core.tasks where status = 'ready'`.execute(db.raw)
  const query = tenantsQuery({ kinds: ['code'], limit: 5, worker: 'x' })
  const found = await db.tx({ kind: 'system', name: 'test' }, (tx) => query.execute(tx))
  expect(found.rows.length).toBeGreaterThanOrEqual(3)
  const { rows } = await db.tx({ kind: 'system', name: 'test' }, (tx) =>
    sql<{ 'QUERY PLAN': [{ Plan: PlanNode }] }>`explain (analyze, format json) ${query}`.execute(tx),
  )
  // One step of the index and up to five tasks for each.
  const read = tasksRead(rows[0]?.['QUERY PLAN'][0].Plan)
  expect(read).toBeGreaterThan(0)
  expect(read).toBeLessThanOrEqual(tenants.length * 6)
})

interface PlanNode {
  'Relation Name'?: string
  'Actual Rows': number
  'Actual Loops': number
  'Rows Removed by Filter'?: number
  Plans?: PlanNode[]
}

function tasksRead(node: PlanNode | undefined): number {
  if (!node) return 0
  const rows = node['Actual Rows'] + (node['Rows Removed by Filter'] ?? 0)
  const here = node['Relation Name'] === 'tasks' ? rows * node['Actual Loops'] : 0
  return (node.Plans ?? []).reduce((sum, child) => sum + tasksRead(child), here)
}

test('a revision keeps what was done and did not change, and fences the rest', async () => {
  const bench = await Bench.of([code('a'), after('b', 'a'), after('c', 'b')])
  await bench.claim()
  await bench.end('a', ok('A'))
  await bench.claim()
  await bench.end('b', ok('B'))
  await bench.claim()
  const tasks = [code('a'), code('b', { depends_on: ['a'], code: 'return 2' }), after('c', 'b'), after('e', 'a')]
  const revised = await bench.tx((tx) =>
    revisePlan(tx, bench.planId, { definition: { tasks }, caller: bench.caller, reason: 'better' }),
  )
  expect(revised).toMatchObject({
    carried_over: ['a'],
    plan: { revision: 2, revises_plan_id: bench.planId, status: 'validated' },
  })
  await expect(bench.end('c')).rejects.toMatchObject({ number: 'E0601' })
  expect((await bench.state()).plan).toMatchObject({ status: 'cancelled', progress: { pending: 0 } })
  expect((await bench.state()).goal.status).toBe('active')
  bench.planId = revised.plan.id
  await bench.tx((tx) => startPlan(tx, bench.planId))
  expect((await bench.claim()).toSorted()).toEqual(['b', 'e'])
  expect(bench.input('e')).toMatchObject({ a: 'A' })
  for (const key of ['b', 'e']) await bench.end(key)
  await bench.claim()
  await bench.end('c')
  const { plan, goal } = await bench.state()
  expect(plan).toMatchObject({ status: 'completed', tasks_completed: 4 })
  expect(goal.status).toBe('completed')
})

test('a revision in which everything is done completes at its start', async () => {
  const bench = await Bench.of([code('a')])
  await bench.claim()
  await bench.end('a')
  const { plan } = await bench.tx((tx) =>
    revisePlan(tx, bench.planId, { definition: { tasks: [code('a')] }, caller: bench.caller }),
  )
  expect(await bench.tx((tx) => startPlan(tx, plan.id))).toMatchObject({ status: 'completed' })
})

test('a plan with faults is refused whole, with every fault', async () => {
  const bench = new Bench()
  const goal = await bench.tx((tx) => createRecord(tx, 'goal', { title: 'g' }))
  const create = (definition: unknown) =>
    bench.tx(async (tx) => {
      const tools = await registeredTools(tx, definition)
      return await createPlan(tx, { goal_id: goal.id, caller: bench.caller, definition, tools })
    })
  await expect(create({ tasks: [after('a', 'b'), { key: 'c', kind: 'tool', tool: 'nope' }] })).rejects.toMatchObject({
    number: 'E0600',
    details: { faults: [{ path: 'tasks[1].tool' }, { path: 'tasks[0].depends_on[0]' }] },
  })
  const { rows } = await bench.tx((tx) => sql`select 1 from core.plans where goal_id = ${goal.id}`.execute(tx))
  expect(rows).toHaveLength(0)
  await expect(
    bench.tx((tx) => createPlan(tx, { goal_id: 'gol_none', caller: bench.caller, definition: { tasks: [code('a')] } })),
  ).rejects.toMatchObject({ code: 'NOT_FOUND' })
  await expect(bench.tx((tx) => startPlan(tx, 'pln_none'))).rejects.toMatchObject({ code: 'NOT_FOUND' })
})

test('the version of a tool is frozen when the plan is made (I5)', async () => {
  const bench = new Bench()
  const tool = (semver: string) => ({
    name: 'sum',
    semver,
    description: 'd',
    input_schema: {},
    source: {},
    source_hash: 'h',
  })
  const spec = await bench.tx(async (tx) => {
    for (const semver of ['1.0.0', '1.4.0', '2.0.0']) await createRecord(tx, 'tool', tool(semver))
    const goal = await createRecord(tx, 'goal', { title: 'g' })
    const definition = { tasks: [{ key: 'a', kind: 'tool' as const, tool: 'sum', version: '^1' }] }
    const tools = await registeredTools(tx, definition)
    const { tasks } = await createPlan(tx, { goal_id: goal.id, caller: bench.caller, definition, tools })
    return tasks[0]?.spec
  })
  expect(spec).toMatchObject({ version: '^1', tool_version: '1.4.0' })
})

test('a skip down a long chain goes on over several transactions and ends', async () => {
  const chain = Array.from({ length: 450 }, (_, i) =>
    i === 0 ? code('t0', { when: false }) : after(`t${i}`, `t${i - 1}`),
  )
  const bench = await Bench.of(chain)
  for (let i = 0; i < 5; i++) await reconcile(db, {})
  const { plan } = await bench.state()
  expect(plan).toMatchObject({ status: 'completed', progress: { total: 450, skipped: 450 } })
})

test('run_plan joins a plan that runs, resumes a paused one, and keeps one run', async () => {
  const bench = await Bench.of([code('a')])
  const again = await bench.tx((tx) => runPlan(tx, bench.planId))
  expect(again.plan.status).toBe('executing')
  await bench.tx((tx) => pausePlan(tx, bench.planId))
  expect((await bench.tx((tx) => runPlan(tx, bench.planId))).plan.status).toBe('executing')
})

test('a task that ends writes no event of its plan: the work is that of its dependants, not of the plan', async () => {
  const bench = await Bench.of([
    code('root'),
    ...Array.from({ length: 60 }, (_, i) => code(`u${i}`)),
    after('next', 'root'),
  ])
  await bench.claim({ limit: 1 })
  const count = async () => {
    const { rows } = await bench.tx((tx) => sql<{ n: number }>`select count(*)::int as n from core.events`.execute(tx))
    return rows[0]?.n ?? 0
  }
  const before = await count()
  await bench.end('root')
  expect((await count()) - before).toBe(2)
})

/** Calls of a held task that nobody dispatches any more: its own, and one that its killed code made. */
async function openCalls(bench: Bench, key: string): Promise<() => Promise<string[]>> {
  const task_id = bench.held.get(key)?.id ?? ''
  const row = { kind: 'code', arguments_hash: 'x', effect: 'journaled', lease_expires_at: inMs(-60_000) } as const
  const ids = await bench.tx(async (tx) => {
    const create = (more: { call_key: string; task_id?: string; parent_invocation_id?: string }) =>
      createRecord(tx, 'invocation', { ...row, ...more, status: 'running' })
    const own = await create({ call_key: `${key}/1`, task_id })
    const killed = await create({ call_key: `${key}/2`, task_id })
    await updateRecord(tx, 'invocation', killed.id, { status: 'failed' })
    const child = await create({ call_key: `${key}/3`, parent_invocation_id: killed.id })
    return [own.id, child.id]
  })
  return () =>
    bench.tx(async (tx) => {
      const rows = []
      for (const id of ids) rows.push(await getRecord(tx, 'invocation', id))
      return rows.map(({ status }) => status)
    })
}

test('the end of a task cancels its open calls, also while it was handed back', async () => {
  const bench = await Bench.of([code('ready'), code('failed'), code('other')])
  await bench.claim()
  const calls = await Promise.all(['ready', 'failed', 'other'].map((key) => openCalls(bench, key)))
  const lease = (key: string) => ({ task_id: bench.held.get(key)?.id ?? '', fence: bench.held.get(key)?.fence ?? 0 })
  await bench.tx((tx) => releaseTask(tx, lease('ready')))
  const statuses = () => Promise.all(calls.map((of) => of()))
  expect(await statuses()).toEqual(new Array(3).fill(['running', 'running']))
  // Ends the plan too, and with it the task that nobody holds.
  await bench.tx((tx) => finishTask(tx, { ...lease('failed'), outcome: fail() }))
  expect(await statuses()).toEqual([...new Array(2).fill(['cancelled', 'cancelled']), ['running', 'running']])
  await bench.tx((tx) => cancelPlan(tx, bench.planId))
  expect(await statuses()).toEqual(new Array(3).fill(['cancelled', 'cancelled']))
})

test('the reconciler cancels calls of ended tasks and does not run them', async () => {
  const bench = await Bench.of([code('a')])
  await bench.claim()
  const { task_id, fence } = { task_id: bench.held.get('a')?.id ?? '', fence: bench.held.get('a')?.fence ?? 0 }
  await bench.tx((tx) => finishTask(tx, { task_id, fence, outcome: ok() }))
  const statuses = await openCalls(bench, 'a')
  const enqueued: unknown[] = []
  const jobs = { enqueue: async (...job: unknown[]) => enqueued.push(job) } as unknown as Jobs
  await reconcile(db, { jobs })
  expect(await statuses()).toEqual(['cancelled', 'cancelled'])
  expect(enqueued).toEqual([])
})

test('a worker that stalled past its lease starts no call any more, and the next worker does', async () => {
  const bench = await Bench.of([code('a')])
  await bench.claim()
  const held = bench.held.get('a')
  const task_id = held?.id ?? ''
  const sent: number[] = []
  const call = (fence: number) =>
    executeCall(db, {
      scope: bench.scope,
      caller: { ...bench.caller, task_id, fence },
      ...{ key: `task/${task_id}/1`, kind: 'code', arguments: 1, effect: 'pure', task_id },
      dispatch: async () => ({ output: sent.push(fence) }),
    })
  await bench.tx((tx) => releaseTask(tx, { task_id, fence: 1 }))
  await expect(call(1)).rejects.toMatchObject({ code: 'CONFLICT', number: 'E0601' })
  await bench.claim()
  await expect(call(1)).rejects.toMatchObject({ number: 'E0601' })
  expect(await call(2)).toMatchObject({ status: 'succeeded', caller: { fence: 2 } })
  expect(sent).toEqual([2])
})
