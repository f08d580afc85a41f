import { getRecord } from '@story-portal/shared/data'
import type { Dispatch } from '@story-portal/shared/engine'
import { assembleServer, defineTool } from '@story-portal/shared/mcp'
import { type Opened, open } from '@story-portal/shared/testing'
import { sql } from 'kysely'
import { beforeAll, expect, test } from 'vitest'
import { z } from 'zod'
import { Answers, recordedAnswers } from './answers.ts'
import { capabilities } from './capabilities.ts'
import { NO_GRANTS } from './grants.ts'
import { sandboxOf } from './sandbox-of-host.ts'

// What a run that is repeated after a crash gets from its journal.

const calls: number[] = []
const bell = assembleServer(
  {
    name: 'test-bell',
    version: '1.0.0',
    title: 'Bell',
    layer: '-',
    port: 98,
    summary: 'rings',
    instructions: 'Rings.',
  },
  ['ring_bell', 'ring_gong'].map((name) =>
    defineTool({
      name,
      description: 'Rings. Nothing else.',
      effect: 'execute',
      transaction: false,
      input: { times: z.int().max(9) },
      output: { rings: z.int() },
      async run({ times }, { idempotency_key }) {
        keys.push(idempotency_key)
        held?.reached()
        await held?.go
        calls.push(times)
        return { rings: calls.length }
      },
    }),
  ),
)

/** Rings that wait to be let go, and the keys under which they came. */
let held: { reached: () => void; go: Promise<unknown> } | undefined
const keys: (string | undefined)[] = []

let tools: Opened
beforeAll(async () => {
  tools = await open('tool-execution', { with: ['data'] })
  ;(tools.host.servers as Map<string, typeof bell>).set(bell.name, bell)
})

/** The capabilities of a run, made anew for each attempt at it. */
async function attempts() {
  const { host, caller, tenant } = tools
  const scope = { kind: 'tenant', tenant_id: tenant, subject: caller.subject } as const
  const { invocation_id } = await tools.call('run_code', { code: 'return 1' })
  const invocation = await host.db.tx(scope, (tx) => getRecord(tx, 'invocation', invocation_id))
  const { signal } = new AbortController()
  const call: Dispatch = { key: invocation.call_key, fence: 1, deadline: undefined, signal, invocation }
  return () => {
    const answer = capabilities({
      host,
      scope,
      call,
      caller,
      grants: { ...NO_GRANTS, tools: ['test-bell.*'] },
      answers: new Answers([]),
    })
    return (index: number, name: string, args: unknown) => answer({ index, name, args, signal })
  }
}

test('a repeated run gets the recorded answers and repeats no call', async () => {
  const attempt = await attempts()
  const first = attempt()
  const answers = [
    await first(0, 'test_bell.ring_bell', { times: 1 }),
    await first(1, 'test_bell.ring_bell', { times: 2 }),
  ]
  const rung = calls.length
  const second = attempt()
  expect([
    await second(0, 'test_bell.ring_bell', { times: 1 }),
    await second(1, 'test_bell.ring_bell', { times: 2 }),
  ]).toEqual(answers)
  expect(calls).toHaveLength(rung)
  expect(await second(2, 'test_bell.ring_bell', { times: 3 })).toEqual({ rings: rung + 1 })
})

test('a recorded refusal is repeated too', async () => {
  const attempt = await attempts()
  const wrong = () => attempt()(0, 'test_bell.ring_bell', { times: 10 })
  await expect(wrong()).rejects.toMatchObject({ code: 'INVALID_INPUT', number: 'E0001' })
  await expect(wrong()).rejects.toMatchObject({ code: 'INVALID_INPUT', number: 'E0001' })
})

test('a repeated run hears the answers in the order of the first, whatever it asks first', async () => {
  const { host, caller, tenant } = tools
  const scope = { kind: 'tenant', tenant_id: tenant, subject: caller.subject } as const
  const { invocation_id } = await tools.call('run_code', { code: 'return 1' })
  const invocation = await host.db.tx(scope, (tx) => getRecord(tx, 'invocation', invocation_id))
  const { signal } = new AbortController()
  const call: Dispatch = { key: invocation.call_key, fence: 2, deadline: undefined, signal, invocation }
  const heard = async (asked: number[], release?: () => void) => {
    const answers = await recordedAnswers(host, scope, invocation)
    const answer = capabilities({ host, scope, call, caller, grants: { ...NO_GRANTS, tools: ['*'] }, answers })
    const order: number[] = []
    await Promise.all(
      asked.map(async (index) => {
        const name = index === 0 ? 'test_bell.ring_bell' : 'data.list_records'
        await answer({ index, name, args: index === 0 ? { times: 1 } : { kind: 'goal', limit: index }, signal })
        order.push(index)
        if (order.length === 2) release?.()
      }),
    )
    return { order, unasked: answers.unasked }
  }
  const go = Promise.withResolvers<void>()
  held = { reached: () => {}, go: go.promise }
  // The first call is held until the two after it are answered.
  const first = await heard([0, 1, 2], go.resolve)
  held = undefined
  expect(first.order.at(-1)).toBe(0)
  expect(await heard([0, 1, 2])).toEqual({ order: first.order, unasked: false })
  expect(await heard([2, 3, 1, 0])).toEqual({ order: [...first.order, 3], unasked: false })
})

test.each([
  ['other arguments', 'test_bell.ring_bell', { times: 2 }],
  ['another tool', 'test_bell.other_tool', { times: 1 }],
])('%s at a recorded index are a divergence that names the call', async (_name, name, args) => {
  const attempt = await attempts()
  await attempt()(0, 'test_bell.ring_bell', { times: 1 })
  const rung = calls.length
  const error = await attempt()(0, name, args).catch((e: unknown) => e)
  expect(error).toMatchObject({ code: 'CONFLICT', number: 'E3031' })
  expect(String(error)).toContain(name)
  expect(calls).toHaveLength(rung)
})

/** The capabilities of attempts at one task's code, as a worker of this host or another gives them. */
async function taskAttempts(task: string, host = tools.host) {
  const { caller, tenant } = tools
  const scope = { kind: 'tenant', tenant_id: tenant, subject: caller.subject } as const
  const { invocation_id } = await tools.call('run_code', { code: 'return 1' })
  const recorded = await host.db.tx(scope, (tx) => getRecord(tx, 'invocation', invocation_id))
  const { signal } = new AbortController()
  return (attempt: number, index: number, name: string, args: object) => {
    const invocation = { ...recorded, call_key: `${caller.subject}/run_code/task/${task}/${attempt}` }
    const call: Dispatch = { key: invocation.call_key, fence: 1, deadline: undefined, signal, invocation }
    return capabilities({
      host,
      scope,
      call,
      caller,
      grants: { ...NO_GRANTS, tools: ['*'] },
      answers: new Answers([]),
    })({
      index,
      name,
      args,
      signal,
    })
  }
}

test('the next attempt at a task gets what succeeded and tries again what failed', async () => {
  const call = await taskAttempts('tsk_steps')
  const ring = (attempt: number, index: number, times: number) => call(attempt, index, 'test_bell.ring_bell', { times })
  const first = await ring(1, 0, 1)
  await expect(ring(1, 1, 10)).rejects.toMatchObject({ number: 'E0001' })
  const rung = calls.length
  expect(await ring(2, 0, 1)).toEqual(first)
  expect(await ring(2, 1, 9)).toEqual({ rings: rung + 1 })
  expect(await ring(3, 1, 9)).toEqual({ rings: rung + 1 })
  expect(calls).toHaveLength(rung + 1)
})

test('an attempt that calls something else than the one before makes that call, and may not change its mind', async () => {
  const call = await taskAttempts('tsk_paths')
  const ring = (attempt: number, times: number) => call(attempt, 0, 'test_bell.ring_bell', { times })
  const first = await ring(1, 1)
  const second = await ring(2, 2)
  const rung = calls.length
  expect([first, second]).toEqual([{ rings: rung - 1 }, { rings: rung }])
  // Each again, by the worker that takes the attempt over, and by a third attempt.
  expect([await ring(2, 2), await ring(3, 1)]).toEqual([second, first])
  const [one, two] = keys.slice(-2)
  expect(one).toMatch(/^task\/tsk_paths\/calls\/0\.[0-9a-f]{16}$/)
  expect(two).not.toBe(one)
  // What an attempt has called it calls again, also where an earlier one answered it.
  for (const times of [2, 3]) await expect(ring(3, times)).rejects.toMatchObject({ number: 'E3031' })
  expect(calls).toHaveLength(rung)
})

test('what nested code calls is its own: the same for the same code in the next attempt, anew for other code', async () => {
  const call = await taskAttempts('tsk_nested')
  const nested = (attempt: number, more: string) =>
    call(attempt, 0, 'tool_execution.run_code', {
      code: `const ring = await tools.test_bell.ring_bell({ times: 5 }); ${more} return ring`,
      permissions: { tools: ['test-bell.*'] },
    })
  const rung = calls.length
  for (const attempt of [1, 2]) {
    await expect(nested(attempt, 'throw new Error("late");')).rejects.toMatchObject({ number: 'E3001' })
    expect(calls).toHaveLength(rung + 1)
  }
  for (const attempt of [3, 4]) expect(await nested(attempt, '')).toMatchObject({ result: { rings: rung + 2 } })
})

test('a call of another tool never runs under the key of a call that is still open', async () => {
  const call = await taskAttempts('tsk_open')
  const reached = Promise.withResolvers<void>()
  held = { reached: reached.resolve, go: new Promise(() => {}) }
  void call(1, 0, 'test_bell.ring_bell', { times: 1 }).catch(() => {})
  await reached.promise
  held = undefined
  // Its worker hands it back, so that whoever comes with its key may take it over.
  const scope = { kind: 'tenant', tenant_id: tools.tenant, subject: tools.caller.subject } as const
  await tools.db.tx(scope, (tx) =>
    sql`
      insert into core.lease_extensions (tenant_id, id, fence, expires_at)
      select tenant_id, id, fence, core.now() from core.invocations where call_key = 'task/tsk_open/calls/0/1'`.execute(
      tx,
    ),
  )
  const rung = calls.length
  const other = call(1, 0, 'test_bell.ring_gong', { times: 1 })
  await expect(other).rejects.toMatchObject({ number: 'E3031' })
  expect(calls).toHaveLength(rung)
})

test('the next attempt reads anew, also from a server that another process hosts', async () => {
  const { host, callOn } = tools
  const elsewhere = new Map([...host.servers].filter(([name]) => name !== 'data'))
  const call = await taskAttempts('tsk_reads', Object.create(host, { servers: { value: elsewhere } }) as typeof host)
  const read = (attempt: number) => call(attempt, 0, 'data.list_events', { stream: 'read-anew' })
  expect(await read(1)).toMatchObject({ items: [] })
  await callOn('data', 'append_event', { stream: 'read-anew', type: 'test.happened', data: {} })
  expect(await read(1)).toMatchObject({ items: [] })
  expect(await read(2)).toMatchObject({ items: [{ type: 'test.happened' }] })
})

/** Starts code whose call is held by its callee, and kills its sandbox process while it waits, so often. */
async function killedWhileCalling(times: number) {
  const { host } = tools
  const go = Promise.withResolvers<void>()
  let arrived = Promise.withResolvers<void>()
  held = { reached: () => arrived.resolve(), go: go.promise }
  const permissions = { tools: ['test-bell.*'] }
  const before = keys.length
  const run = tools.call('run_code', { code: 'return await tools.test_bell.ring_bell({ times: 4 })', permissions })
  const ended = run.catch((error: unknown) => error)
  for (let kill = 0; kill < times; kill++) {
    await arrived.promise
    arrived = Promise.withResolvers<void>()
    for (const pid of sandboxOf(host).stats().busy_pids) process.kill(pid, 'SIGKILL')
  }
  return { arrived, ended, before, let_go: go.resolve }
}

async function onlyChildOf(parent: string) {
  const scope = { kind: 'tenant', tenant_id: tools.tenant, subject: tools.caller.subject } as const
  return tools.db.tx(scope, (tx) =>
    tx.selectFrom('core.invocations').selectAll().where('parent_invocation_id', '=', parent).executeTakeFirstOrThrow(),
  )
}

test('a call that was open when its sandbox was killed is sent again under its key, and the code goes on', async () => {
  const { arrived, ended, before, let_go } = await killedWhileCalling(1)
  await arrived.promise
  let_go()
  held = undefined
  const { invocation_id } = (await ended) as { invocation_id: string }
  expect(await onlyChildOf(invocation_id)).toMatchObject({ status: 'succeeded' })
  expect(new Set(keys.slice(before)).size).toBe(1)
  expect(keys.slice(before)).toHaveLength(2)
})

test('a call that was open when its sandbox was killed for good has no outcome, and the next worker gets it', async () => {
  const { ended, let_go } = await killedWhileCalling(2)
  const { body } = (await ended) as { body: { error: { number: string; details: { invocation_id: string } } } }
  expect(body.error.number).toBe('E3020')
  expect(await onlyChildOf(body.error.details.invocation_id)).toMatchObject({ status: 'running', error: null })
  let_go()
  held = undefined
})
