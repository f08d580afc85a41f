import { fileDatabase, open, testDatabase } from '@story-portal/shared/testing'
import { afterEach, expect, test } from 'vitest'

const PATIENCE = { timeout: 30_000, interval: 50 }
const SERVERS = ['planning', 'tool-execution', 'data']
let closing: (() => Promise<void>)[] = []

// An executor serves every tenant of its database, so one left running would take the tasks of the next test.
afterEach(async () => {
  await Promise.all(closing.map((close) => close()))
  closing = []
})

async function started(options: Parameters<typeof open>[1] = {}) {
  const opened = await open('runtime', { with: SERVERS, start: true, ...options })
  closing.push(opened.close)
  return opened
}

type Opened = Awaited<ReturnType<typeof open>>

async function plan({ callOn }: Opened, tasks: object[], fields: object = {}) {
  const { goal } = await callOn('planning', 'create_goal', { title: 'A goal' })
  const made = await callOn('planning', 'create_plan', { goal_id: goal.id, tasks, ...fields })
  return made.plan.id as string
}

async function run(opened: Opened, tasks: object[], fields: object = {}) {
  const plan_id = await plan(opened, tasks, fields)
  return opened.callOn('planning', 'run_plan', { plan_id })
}

test('a registered tool is invoked with its bound arguments in the version that was planned', async () => {
  const opened = await started()
  const tool = {
    name: 'double',
    description: 'Doubles a number.',
    input_schema: { type: 'object', properties: { n: { type: 'number' } }, required: ['n'] },
  }
  const register = (version: string, code: string) =>
    opened.callOn('tool-execution', 'register_tool', { ...tool, version, source: { type: 'javascript', code } })
  await register('1.0.0', 'return { twice: input.n * 2 }')
  const plan_id = await plan(opened, [
    { key: 'a', kind: 'code', code: 'return { n: 21 }' },
    { key: 'b', kind: 'tool', tool: 'double', depends_on: ['a'], input: { n: '{{tasks.a.output.n}}' } },
  ])
  await register('1.1.0', 'return { twice: "newer" }')
  const { plan: ended, tasks } = await opened.callOn('planning', 'run_plan', { plan_id })
  expect(ended).toMatchObject({ status: 'completed' })
  expect(tasks[1]).toMatchObject({ key: 'b', output: { twice: 42 } })
})

test('a tool of the platform is called by server.tool, once, with the effect in its records', async () => {
  const opened = await started()
  const { plan: ended, tasks } = await run(opened, [
    {
      key: 'make',
      kind: 'tool',
      tool: 'data.create_record',
      input: { kind: 'feedback', data: { target_kind: 'goal', target_id: 'gol_x', rating: 5 } },
    },
  ])
  expect(ended.status).toBe('completed')
  expect(tasks[0].output.record).toMatchObject({ rating: 5 })
  expect((await opened.callOn('data', 'list_records', { kind: 'feedback' })).items).toHaveLength(1)
})

test('for_each, condition and join carry their values through', async () => {
  const opened = await started()
  const { plan: ended, tasks } = await run(
    opened,
    [
      { key: 'list', kind: 'code', code: 'return [3, 4]' },
      {
        key: 'square',
        kind: 'code',
        depends_on: ['list'],
        for_each: '{{tasks.list.output}}',
        input: { n: '{{item}}' },
        code: 'return input.n ** 2',
      },
      { key: 'never', kind: 'code', depends_on: ['square'], when: 'plan.input.extra', code: 'return 1' },
      {
        key: 'sum',
        kind: 'code',
        depends_on: ['square', 'never'],
        code: 'return input.square.reduce((a, b) => a + b)',
      },
    ],
    { input: { extra: false } },
  )
  expect(ended.status).toBe('completed')
  const outputs = Object.fromEntries(
    tasks.map((t: { key: string; status: string; output: unknown }) => [t.key, t.output ?? t.status]),
  )
  expect(outputs).toMatchObject({ square: [9, 16], never: 'skipped', sum: 25 })
})

const busyFor = (ms: number) => `const end = Date.now() + ${ms}; while (Date.now() < end) {} return 1`

test("a task's time begins when its code starts: those that wait for the sandbox lose none of it", async () => {
  const db = await testDatabase({ STORY_PORTAL_SANDBOX_WORKERS: '1', STORY_PORTAL_RECONCILE_MS: '100' })
  const opened = await started({ db })
  const tasks = ['a', 'b', 'c', 'd', 'e'].map((key) => ({ key, kind: 'code', code: busyFor(900), timeout_ms: 3_000 }))
  const { plan: ended } = await run(opened, tasks)
  expect(ended).toMatchObject({ status: 'completed' })
  const tool = { name: 'slow', description: 'Takes its time.', input_schema: { type: 'object' }, version: '1.0.0' }
  const source = { type: 'javascript', code: busyFor(20_000) }
  await opened.callOn('tool-execution', 'register_tool', { ...tool, source })
  const { tasks: cut } = await run(opened, [{ key: 'a', kind: 'tool', tool: 'slow', timeout_ms: 300 }])
  expect(cut[0].error).toMatchObject({ number: 'E3010', message: 'The run took longer than 300 ms.' })
})

test('code that waits too long for the sandbox fails with an error that says so, and not with its timeout', async () => {
  const db = await testDatabase({ STORY_PORTAL_SANDBOX_WORKERS: '1', STORY_PORTAL_SANDBOX_WAIT_MS: '50' })
  const opened = await started({ db })
  const task = { kind: 'code', code: busyFor(1_500), timeout_ms: 20_000, continue_on_failure: true }
  const { tasks } = await run(opened, [
    { key: 'a', ...task },
    { key: 'b', ...task },
  ])
  expect(tasks.map(({ status }: { status: string }) => status).sort()).toEqual(['completed', 'failed'])
  const [failed] = tasks.filter(({ status }: { status: string }) => status === 'failed')
  expect(failed.error).toMatchObject({ number: 'E3025' })
})

test('code that throws fails the task with its words, and the plan with it', async () => {
  const opened = await started()
  const { plan: ended, tasks } = await run(opened, [
    { key: 'a', kind: 'code', code: 'throw new Error("the price is missing")' },
    { key: 'b', kind: 'code', depends_on: ['a'], code: 'return 1' },
  ])
  expect(ended).toMatchObject({ status: 'failed', error: { number: 'E0607', key: 'a' } })
  expect(tasks[0]).toMatchObject({ status: 'failed', attempts: 1, error: { number: 'E3001' } })
  expect(tasks[0].error.message).toContain('the price is missing')
  expect(tasks[1].status).toBe('cancelled')
})

test('a refusal for good is not retried', async () => {
  const opened = await started()
  const { tasks } = await run(opened, [
    {
      key: 'a',
      kind: 'tool',
      tool: 'data.get_record',
      input: { kind: 'goal', id: 'gol_x' },
      retry: { max_attempts: 5, backoff_ms: 10 },
    },
  ])
  expect(tasks[0]).toMatchObject({ status: 'failed', attempts: 1, error: { code: 'NOT_FOUND' } })
})

test('a plan runs as whoever made it: a right that is gone by then stops it', async () => {
  const maker = await started({ caller: { scopes: ['planning:*', 'data:get_record', 'tool-execution:*'] } })
  const { tasks } = await run(maker, [
    {
      key: 'a',
      kind: 'code',
      permissions: { tools: ['data.create_record'] },
      code: 'return await tools.data.create_record({ kind: "goal", data: { title: "x" } })',
    },
  ])
  expect(tasks[0]).toMatchObject({ status: 'failed' })
  expect(JSON.stringify(tasks[0].error)).toContain('DENIED')
})

test('a task over its time is stopped and told so', async () => {
  const opened = await started()
  const { tasks } = await run(opened, [{ key: 'a', kind: 'code', timeout_ms: 300, code: 'while (true) {}' }])
  expect(tasks[0]).toMatchObject({ status: 'failed' })
  expect(['E3010', 'E3011', 'E0608']).toContain(tasks[0].error.number)
})

test('an output that can not be kept is a failure of the task, not of the platform', async () => {
  const opened = await started()
  const { tasks } = await run(opened, [{ key: 'a', kind: 'code', code: 'return "a\\u0000b"' }])
  expect(tasks[0]).toMatchObject({ status: 'failed', attempts: 1 })
  expect(await run(opened, [{ key: 'a', kind: 'code', code: 'return "fine"' }])).toMatchObject({
    plan: { status: 'completed' },
  })
})

test('a cancelled plan stops a task under way, whose result is not recorded', async () => {
  const opened = await started()
  const plan_id = await plan(opened, [
    { key: 'a', kind: 'code', code: 'const end = Date.now() + 3000; while (Date.now() < end) {} return "late"' },
  ])
  await opened.callOn('planning', 'run_plan', { plan_id, mode: 'background' })
  const task = async () => (await opened.callOn('planning', 'get_plan', { plan_id })).tasks[0]
  await expect.poll(async () => (await task()).status, PATIENCE).toBe('running')
  await opened.callOn('planning', 'cancel_plan', { plan_id })
  const invocations = async () => (await opened.callOn('tool-execution', 'list_invocations', {})).items
  await expect.poll(async () => (await invocations())[0]?.status, PATIENCE).toBe('cancelled')
  expect(await task()).toMatchObject({ status: 'cancelled', output: null })
})

test('what a failed plan did is undone in reverse', async () => {
  const opened = await started()
  const undo = (what: string) => ({
    tool: 'data.append_event',
    input: { stream: 'undone', type: 'test.undone', data: { what, was: '{{task.output}}' } },
  })
  const { plan: ended } = await run(opened, [
    { key: 'a', kind: 'code', code: 'return "A"', compensate: undo('a') },
    { key: 'b', kind: 'code', depends_on: ['a'], code: 'return "B"', compensate: undo('b') },
    { key: 'c', kind: 'code', depends_on: ['b'], code: 'throw new Error("no")' },
  ])
  expect(ended.status).toBe('failed')
  const { items } = await opened.callOn('data', 'list_events', { stream: 'undone' })
  expect(items.map((e: { data: unknown }) => e.data)).toEqual([
    { what: 'b', was: 'B' },
    { what: 'a', was: 'A' },
  ])
})

test('max_parallel bounds how many tasks run at one time', async () => {
  const opened = await started()
  const tasks = Array.from({ length: 6 }, (_, i) => ({ key: `t${i}`, kind: 'code', code: 'return Date.now()' }))
  const { plan: ended, run_id } = await run(opened, tasks, { max_parallel: 1 })
  expect(ended.status).toBe('completed')
  const { timeline } = await opened.call('get_run', { run_id })
  let open_ = 0
  for (const { what, to } of timeline) {
    if (what !== 'task') continue
    if (to === 'running') open_ += 1
    if (to === 'completed') open_ -= 1
    expect(open_).toBeLessThanOrEqual(1)
  }
})

test('a process that stops in the middle hands its tasks on, and nothing runs twice', async () => {
  const db = await testDatabase()
  const config = { mcp: { ...db.config.mcp, drainMs: 1_000 } }
  const caller = { tenant_id: 'drain' }
  const first = await open('runtime', { with: SERVERS, start: true, db, config, caller })
  const tasks = Array.from({ length: 6 }, (_, i) => ({
    key: `t${i}`,
    kind: 'code',
    permissions: { tools: ['data.append_event'] },
    code: `const end = Date.now() + 400; while (Date.now() < end) {}
      await tools.data.append_event({ stream: 'effects', type: 'test.done', data: { task: 't${i}' } })
      return ${i}`,
  }))
  const plan_id = await plan(first, tasks)
  await first.callOn('planning', 'run_plan', { plan_id, mode: 'background' })
  const running = async () => (await first.callOn('planning', 'get_plan', { plan_id, status: 'running' })).tasks.length
  await expect.poll(running, PATIENCE).toBeGreaterThan(0)
  await first.close()
  const second = await open('runtime', { with: SERVERS, start: true, db, caller })
  const ended = await second.callOn('planning', 'get_plan', { plan_id, mode: 'wait' })
  expect(ended).toMatchObject({ plan: { status: 'completed' } })
  expect(ended.tasks.map((t: { attempts: number }) => t.attempts)).toEqual([1, 1, 1, 1, 1, 1])
  const { items } = await second.callOn('data', 'list_events', { stream: 'effects' })
  expect(items.map((e: { data: { task: string } }) => e.data.task).sort()).toEqual(['t0', 't1', 't2', 't3', 't4', 't5'])
  await second.close()
  await db.close()
})

test('two executors on one database share the work', async () => {
  const db = await fileDatabase()
  const one = await started({ db, caller: { tenant_id: 'shared' } })
  await started({ db, caller: { tenant_id: 'shared' } })
  const tasks = Array.from({ length: 40 }, (_, i) => ({ key: `t${i}`, kind: 'code', code: `return ${i}` }))
  const { plan: ended, run_id } = await run(one, tasks)
  expect(ended).toMatchObject({ status: 'completed', progress: { completed: 40 } })
  const { steps, usage } = await one.call('get_run', { run_id, limit: 200 })
  expect(usage.invocations).toBe(40)
  expect(
    steps.every((s: { invocations: object[]; attempts: number }) => s.invocations.length === 1 && s.attempts === 1),
  ).toBe(true)
})
