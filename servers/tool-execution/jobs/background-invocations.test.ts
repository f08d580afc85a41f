import { submitCall } from '@story-portal/shared/engine'
import { type Opened, open } from '@story-portal/shared/testing'
import { expect, test } from 'vitest'

test('a call that is taken over goes to its tool under the key that its first worker used', async () => {
  const { host, db, caller, tenant, call, callOn, close } = await open('tool-execution', {
    with: ['data'],
    start: true,
  })
  const scope = { kind: 'tenant', tenant_id: tenant, subject: caller.subject } as const
  const args = { stream: 'effects', type: 'test.done', data: {} }
  // The first worker's call was answered, and the worker killed before it could record that.
  await host.call('data', 'append_event', args, { caller, idempotency_key: 'task/tsk_1' })
  const intent = { kind: 'server_tool', tool: 'data.append_event', effect: 'journaled' } as const
  const submitted = await db.tx(scope, (tx) =>
    submitCall(tx, host.jobs, { ...intent, caller, key: 'task/tsk_1/1', arguments: args }),
  )
  const status = async () => (await call('get_invocation', { invocation_id: submitted.id })).invocation.status
  await expect.poll(status, { timeout: 30_000, interval: 50 }).toBe('succeeded')
  expect((await callOn('data', 'list_events', { stream: 'effects' })).items).toHaveLength(1)
  // Else it would work on the calls of the tests that follow.
  await close()
})

test('a process that stops hands its background call back, and the next one ends it', async () => {
  const first = await open('tool-execution', { start: true })
  const code = 'const end = Date.now() + 3000; while (Date.now() < end) {} return "done"'
  const { invocation_id } = await first.call('run_code', { code, mode: 'background' })
  const view = async (tools: Opened) => (await tools.call('get_invocation', { invocation_id })).invocation
  await expect.poll(async () => (await view(first)).status, { timeout: 30_000, interval: 50 }).toBe('running')
  const second = await open('tool-execution', { db: first.db, caller: first.caller })
  await first.close()
  expect(await view(second)).toMatchObject({ status: 'running', error: null })
  await second.close()
  const third = await open('tool-execution', { db: first.db, caller: first.caller, start: true })
  await expect.poll(async () => (await view(third)).status, { timeout: 60_000, interval: 100 }).toBe('succeeded')
})
