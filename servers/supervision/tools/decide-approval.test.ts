import { updateRecord } from '@story-portal/shared/data'
import { type Opened, open } from '@story-portal/shared/testing'
import { beforeAll, expect, test } from 'vitest'

let approvals: Opened
beforeAll(async () => {
  approvals = await open('supervision', { start: true, with: ['tool-execution'] })
  await approvals.callOn('tool-execution', 'register_tool', {
    name: 'transfer',
    version: '1.0.0',
    description: 'Moves money.',
    requires_approval: true,
    input_schema: {
      type: 'object',
      properties: { amount: { type: 'number', maximum: 100 } },
      required: ['amount'],
      additionalProperties: false,
    },
    source: { type: 'javascript', code: 'return { moved: input.amount }' },
  })
})

let keys = 0
async function ask(amount: number, key = `key ${++keys}`) {
  const args = { tool: 'transfer', arguments: { amount }, idempotency_key: key }
  return { key, ...(await approvals.callOn('tool-execution', 'invoke_tool', args)) }
}
const decide = (approval_id: string, more: object) => approvals.call('decide_approval', { approval_id, ...more })
const invocation = async (invocation_id: string) =>
  (await approvals.callOn('tool-execution', 'get_invocation', { invocation_id })).invocation
const ended = (id: string) => expect.poll(async () => (await invocation(id)).status, { interval: 20, timeout: 15_000 })

test('a call waits without running, is approved, and runs once by itself', async () => {
  const asked = await ask(5)
  expect(asked).toMatchObject({
    invocation: { status: 'pending_approval', output: null, replayed: false },
    approval: { status: 'pending', next: expect.stringContaining('decide_approval') },
  })
  expect(await ask(5, asked.key)).toMatchObject({ invocation: { id: asked.invocation.id, replayed: true } })
  const decided = await decide(asked.approval.id, { decision: 'approve', note: 'fine' })
  expect(decided.approval).toMatchObject({ status: 'approved', decided_by: 'user:local', note: 'fine' })
  await ended(asked.invocation.id).toBe('succeeded')
  const again = await ask(5, asked.key)
  expect(again).toMatchObject({
    invocation: { output: { moved: 5 }, replayed: true },
    approval: { status: 'approved' },
  })
})

test('a denied call never runs, and says who denied it and why', async () => {
  const asked = await ask(6)
  await decide(asked.approval.id, { decision: 'deny', note: 'too late' })
  expect(await invocation(asked.invocation.id)).toMatchObject({
    status: 'denied',
    error: { code: 'DENIED', number: 'E0520', message: 'transfer was not allowed by user:local: too late' },
  })
  expect(await ask(6, asked.key)).toMatchObject({ invocation: { status: 'denied', replayed: true } })
})

test('other arguments can be approved; they must fit, and the request keeps its own', async () => {
  const asked = await ask(90)
  const wrong = await approvals.callError('decide_approval', {
    approval_id: asked.approval.id,
    decision: 'approve',
    arguments: { amount: 900 },
  })
  expect(wrong).toMatchObject({ number: 'E8002', details: { faults: [{ path: 'arguments.amount' }] } })
  const decided = await decide(asked.approval.id, { decision: 'approve', arguments: { amount: 9 } })
  expect(decided.approval).toMatchObject({ status: 'approved', arguments: { amount: 90 } })
  await ended(asked.invocation.id).toBe('succeeded')
  // Under its key the caller still asks for what it asked for.
  expect(await ask(90, asked.key)).toMatchObject({ invocation: { output: { moved: 9 }, arguments: { amount: 9 } } })
  const error = await approvals.host
    .call(
      'tool-execution',
      'invoke_tool',
      { tool: 'transfer', arguments: { amount: 9 } },
      { caller: caller(), idempotency_key: asked.key },
    )
    .catch((thrown: unknown) => thrown)
  expect(error).toMatchObject({ number: 'E0015' })
})

function caller(more: object = {}) {
  return {
    tenant_id: approvals.tenant,
    subject: 'user:local',
    roles: ['owner'],
    scopes: ['*'],
    client: { surface: 'test', name: 'vitest' },
    ...more,
  } as never
}

test('of two deciders at once one decides, the other is told how', async () => {
  const asked = await ask(7)
  const all = await Promise.allSettled(
    ['approve', 'deny', 'approve', 'deny'].map((decision) => decide(asked.approval.id, { decision })),
  )
  expect(all.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
  const errors = all.flatMap((one) => (one.status === 'rejected' ? [one.reason] : []))
  for (const { body } of errors) expect(body.error).toMatchObject({ code: 'CONFLICT', number: 'E0522' })
})

test('a repeated decision under one key is one', async () => {
  const asked = await ask(8)
  const once = { decision: 'deny', idempotency_key: 'd1' }
  await decide(asked.approval.id, once)
  expect(await decide(asked.approval.id, once)).toMatchObject({ approval: { status: 'denied' } })
})

test('running code and runs can not decide, whatever they were granted', async () => {
  const asked = await ask(9)
  const args = { approval_id: asked.approval.id, decision: 'approve' }
  for (const more of [{ depth: 1 }, { run_id: 'run_1' }]) {
    const error = await approvals.host
      .call('supervision', 'decide_approval', args, { caller: caller(more) })
      .catch((e: unknown) => e)
    expect(error).toMatchObject({ code: 'DENIED', number: 'E8001' })
  }
  const code = `return await tools.supervision.decide_approval(${JSON.stringify(args)})`
  const run = await approvals.host
    .call('tool-execution', 'run_code', { code, permissions: { tools: ['*'] } }, { caller: caller() })
    .catch((e: unknown) => e)
  expect(run).toMatchObject({ message: expect.stringContaining('can not decide') })
  expect(await invocation(asked.invocation.id)).toMatchObject({ status: 'pending_approval' })
})

test('cancelling the call withdraws the question', async () => {
  const asked = await ask(10)
  await approvals.callOn('tool-execution', 'cancel_invocation', { invocation_id: asked.invocation.id })
  const error = await approvals.callError('decide_approval', { approval_id: asked.approval.id, decision: 'approve' })
  expect(error).toMatchObject({ number: 'E0522', details: { status: 'cancelled' } })
})

test('approved arguments that were changed behind its back are not carried out', async () => {
  const asked = await ask(11)
  const scope = { kind: 'tenant', tenant_id: approvals.tenant, subject: 'test' } as const
  const changes = { status: 'approved', approved_hash: 'of something else' } as const
  await approvals.db.tx(scope, (tx) => updateRecord(tx, 'approval', asked.approval.id, changes))
  const again = (await ask(11, asked.key).catch((thrown: unknown) => thrown)) as object
  expect(again).not.toHaveProperty('invocation')
  expect(await invocation(asked.invocation.id)).toMatchObject({ status: 'pending_approval' })
})

test.each([
  ['nobody', { approval_id: 'apr_nobody', decision: 'deny' }, 'NOT_FOUND'],
  ['no id', { approval_id: 'x', decision: 'deny' }, 'INVALID_INPUT'],
  ['no decision', { approval_id: 'apr_nobody', decision: 'maybe' }, 'INVALID_INPUT'],
])('%s', async (_name, args, code) => {
  expect(await approvals.callError('decide_approval', args)).toMatchObject({ code })
})

test('arguments for a denial, and an old version', async () => {
  const { approval } = await ask(12)
  const deny = { approval_id: approval.id, decision: 'deny' }
  expect(await approvals.callError('decide_approval', { ...deny, arguments: {} })).toMatchObject({ number: 'E8003' })
  expect(await approvals.callError('decide_approval', { ...deny, expected_version: 7 })).toMatchObject({
    number: 'E0012',
  })
  expect(await decide(approval.id, { decision: 'deny', expected_version: 1 })).toMatchObject({
    approval: { version: 2 },
  })
})
