import { submitCall } from '@story-portal/shared/engine'
import { open } from '@story-portal/shared/testing'
import { expect, test } from 'vitest'

test('a call that is taken over goes to its tool under the key that its first worker used', async () => {
  const { host, db, caller, tenant, call, callOn } = await open('tool-execution', { with: ['data'], start: true })
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
})
