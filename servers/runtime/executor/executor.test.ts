import { releaseTask } from '@story-portal/shared/engine'
import { errors } from '@story-portal/shared/errors'
import type { Host, HostCallOptions } from '@story-portal/shared/mcp'
import { open } from '@story-portal/shared/testing'
import { expect, test } from 'vitest'
import { Executor } from './executor.ts'

type Call = Host['call']

/** A host whose line to the other servers does to each call what `fault` says; everything else is the real one. */
function withLine(
  host: Host,
  fault: (call: () => ReturnType<Call>, options: HostCallOptions) => ReturnType<Call>,
): Host {
  const call: Call = (server, tool, args, options) => fault(() => host.call(server, tool, args, options), options)
  return Object.create(host, { call: { value: call } }) as Host
}

async function planned(tasks: object[]) {
  const opened = await open('planning', { with: ['runtime', 'tool-execution', 'data'] })
  const { goal } = await opened.call('create_goal', { title: 'A goal' })
  const { plan } = await opened.call('create_plan', { goal_id: goal.id, tasks })
  await opened.call('run_plan', { plan_id: plan.id, mode: 'background' })
  return { ...opened, plan_id: plan.id }
}

const EFFECT = {
  kind: 'code',
  permissions: { tools: ['data.append_event'] },
  code: 'await tools.data.append_event({ stream: "effects", type: "test.done", data: {} }); return 1',
}

const RETRIES = { max_attempts: 3, backoff_ms: 10 }

test('an answer that is lost on its way is asked for again under the same key, and nothing happens twice', async () => {
  const { call, callOn, host, plan_id } = await planned([
    { key: 'a', ...EFFECT },
    { key: 'b', kind: 'tool', tool: 'data.append_event', input: { stream: 'effects', type: 'test.done', data: {} } },
  ])
  const lost = new Set<string>()
  const line = withLine(host, async (send, { idempotency_key = '' }) => {
    const answer = await send()
    if (lost.has(idempotency_key)) return answer
    lost.add(idempotency_key)
    throw errors.unavailable({ what: 'The line' })
  })
  const executor = new Executor(line)
  await executor.start()
  const ended = await call('get_plan', { plan_id, mode: 'wait' })
  await executor.stop()
  expect(lost.size).toBe(2)
  expect(ended.plan.status).toBe('completed')
  expect(ended.tasks.map((task: { attempts: number }) => task.attempts)).toEqual([1, 1])
  expect((await callOn('data', 'list_events', { stream: 'effects' })).items).toHaveLength(2)
})

test('a server that can not be reached for a while costs no attempt', async () => {
  const { call, host, plan_id } = await planned([{ key: 'a', kind: 'code', code: 'return 1' }])
  let refused = 0
  const line = withLine(host, async (send) => {
    if (refused++ < 3) throw errors.unavailable({ what: 'Server tool-execution' })
    return send()
  })
  const executor = new Executor(line)
  await executor.start()
  const ended = await call('get_plan', { plan_id, mode: 'wait' })
  await executor.stop()
  expect(ended).toMatchObject({ plan: { status: 'completed' }, tasks: [{ attempts: 1, output: 1 }] })
  expect(refused).toBe(4)
})

test('a task whose lease went to another is dropped, and the other records it', async () => {
  const { call, callOn, db, host, plan_id } = await planned([
    { key: 'a', ...EFFECT, code: `const end = Date.now() + 800; while (Date.now() < end) {} ${EFFECT.code}` },
  ])
  const first = new Executor(host)
  await first.start()
  const task = async () => (await call('get_plan', { plan_id })).tasks[0]
  await expect.poll(async () => (await task()).status, { timeout: 30_000, interval: 20 }).toBe('running')
  // As the reconciler does with a lease that ended; the first executor does not know yet.
  const held = await callOn('data', 'get_record', { kind: 'task', id: (await task()).id })
  const scope = { kind: 'tenant', tenant_id: held.record.tenant_id, subject: 'system:test' } as const
  const second = new Executor(host)
  await db.tx(scope, (tx) => releaseTask(tx, { task_id: held.record.id, fence: held.record.fence }))
  await second.start()
  const ended = await call('get_plan', { plan_id, mode: 'wait' })
  await Promise.all([first.stop(), second.stop()])
  expect(ended).toMatchObject({ plan: { status: 'completed' }, tasks: [{ attempts: 1, output: 1 }] })
  expect((await callOn('data', 'list_events', { stream: 'effects' })).items).toHaveLength(1)
})

test('code that fails after an effect repeats the code and not the effect', async () => {
  const { call, callOn, host, plan_id } = await planned([
    { key: 'a', ...EFFECT, code: `${EFFECT.code.replace('return 1', 'throw new Error("late")')}`, retry: RETRIES },
  ])
  const executor = new Executor(host)
  await executor.start()
  const ended = await call('get_plan', { plan_id, mode: 'wait' })
  await executor.stop()
  expect(ended).toMatchObject({ plan: { status: 'failed' }, tasks: [{ attempts: 3, error: { number: 'E3001' } }] })
  expect((await callOn('data', 'list_events', { stream: 'effects' })).items).toHaveLength(1)
})

test('code that takes another path in its next attempt makes the calls of that path', async () => {
  const code = `
    const { items } = await tools.data.list_events({ stream: "effects" })
    await tools.data.append_event({ stream: "effects", type: items.length === 0 ? "test.first" : "test.second", data: {} })
    if (items.length === 0) throw new Error("once more")
    return items.length`
  const permissions = { tools: ['data.append_event', 'data.list_events'] }
  const { call, callOn, host, plan_id } = await planned([{ key: 'a', kind: 'code', permissions, code, retry: RETRIES }])
  const executor = new Executor(host)
  await executor.start()
  const ended = await call('get_plan', { plan_id, mode: 'wait' })
  await executor.stop()
  expect(ended).toMatchObject({ plan: { status: 'completed' }, tasks: [{ attempts: 2, output: 1 }] })
  const { items } = await callOn('data', 'list_events', { stream: 'effects' })
  expect(items.map(({ type }: { type: string }) => type).sort()).toEqual(['test.first', 'test.second'])
})

test('a tool refuses the write of a worker that does not hold its task', async () => {
  const { call, callOn, caller, host, plan_id } = await planned([{ key: 'a', ...EFFECT }])
  const [task] = (await call('get_plan', { plan_id })).tasks
  const args = { stream: 'effects', type: 'test.done', data: {} }
  const stale = host.call('data', 'append_event', args, { caller: { ...caller, task_id: task.id, fence: 1 } })
  await expect(stale).rejects.toMatchObject({ code: 'CONFLICT', number: 'E0601' })
  expect((await callOn('data', 'list_events', { stream: 'effects' })).items).toHaveLength(0)
})
