import { getRecord } from '@story-portal/shared/data'
import type { Dispatch } from '@story-portal/shared/engine'
import { assembleServer, defineTool } from '@story-portal/shared/mcp'
import { type Opened, open } from '@story-portal/shared/testing'
import { beforeAll, expect, test } from 'vitest'
import { z } from 'zod'
import { capabilities } from './capabilities.ts'
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
  [
    defineTool({
      name: 'ring_bell',
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
  ],
)

/** Rings that wait to be let go, and the keys under which they came. */
let held: { reached: () => void; go: Promise<unknown> } | undefined
const keys: (string | undefined)[] = []

let tools: Opened
beforeAll(async () => {
  tools = await open('tool-execution')
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
    const answer = capabilities({ host, scope, call, caller, grants: ['test-bell.*'] })
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

test('the next attempt at a task gets what succeeded, tries again what failed, and may not call something else', async () => {
  const { host, caller, tenant } = tools
  const scope = { kind: 'tenant', tenant_id: tenant, subject: caller.subject } as const
  const { invocation_id } = await tools.call('run_code', { code: 'return 1' })
  const recorded = await host.db.tx(scope, (tx) => getRecord(tx, 'invocation', invocation_id))
  const { signal } = new AbortController()
  const attempt = (n: number) => {
    const invocation = { ...recorded, call_key: `${caller.subject}/run_code/task/tsk_steps/${n}` }
    const call: Dispatch = { key: invocation.call_key, fence: 1, deadline: undefined, signal, invocation }
    const answer = capabilities({ host, scope, call, caller, grants: ['test-bell.*'] })
    return (index: number, times: number) => answer({ index, name: 'test_bell.ring_bell', args: { times }, signal })
  }
  const first = await attempt(1)(0, 1)
  await expect(attempt(1)(1, 10)).rejects.toMatchObject({ number: 'E0001' })
  const rung = calls.length
  expect(await attempt(2)(0, 1)).toEqual(first)
  expect(await attempt(2)(1, 9)).toEqual({ rings: rung + 1 })
  expect(await attempt(3)(1, 9)).toEqual({ rings: rung + 1 })
  await expect(attempt(3)(0, 2)).rejects.toMatchObject({ number: 'E3031' })
  expect(calls).toHaveLength(rung + 1)
  expect(keys.slice(-1)).toEqual(['task/tsk_steps/calls/1'])
})

test('a call that was open when its sandbox was killed has no outcome, and the next worker gets it', async () => {
  const { host, caller, tenant, db } = tools
  const reached = Promise.withResolvers<void>()
  const go = Promise.withResolvers<void>()
  held = { reached: reached.resolve, go: go.promise }
  const permissions = { tools: ['test-bell.*'] }
  const run = tools.callError('run_code', { code: 'return await tools.test_bell.ring_bell({ times: 4 })', permissions })
  await reached.promise
  for (const pid of sandboxOf(host).stats().busy_pids) process.kill(pid, 'SIGKILL')
  const error = await run
  expect(error.number).toBe('E3020')
  const parent = String(error.details?.['invocation_id'])
  const scope = { kind: 'tenant', tenant_id: tenant, subject: caller.subject } as const
  const child = await db.tx(scope, (tx) =>
    tx.selectFrom('core.invocations').selectAll().where('parent_invocation_id', '=', parent).executeTakeFirstOrThrow(),
  )
  expect(child).toMatchObject({ status: 'running', error: null })
  go.resolve()
  held = undefined
})
