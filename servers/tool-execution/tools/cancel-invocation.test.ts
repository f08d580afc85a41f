import { type Opened, open } from '@story-portal/shared/testing'
import { beforeAll, expect, test } from 'vitest'

let tools: Opened
beforeAll(async () => {
  tools = await open('tool-execution', { start: true })
})

test('what runs is stopped and recorded as cancelled, and can not be cancelled again', async () => {
  const code = 'await new Promise(() => {})'
  const { invocation_id } = await tools.call('run_code', { code, mode: 'background', limits: { timeout_ms: 30_000 } })
  await expect
    .poll(async () => (await tools.call('get_invocation', { invocation_id })).invocation.status, { interval: 20 })
    .toBe('running')
  const { invocation } = await tools.call('cancel_invocation', { invocation_id })
  expect(invocation).toMatchObject({ status: 'cancelled', error: { code: 'CONFLICT' } })
  expect(invocation).not.toHaveProperty('lease_token')
  const again = await tools.callError('cancel_invocation', { invocation_id })
  expect(again).toMatchObject({ code: 'CONFLICT', details: { status: 'cancelled' } })
  // The place in the sandbox is free again.
  expect(await tools.call('run_code', { code: 'return 2' })).toMatchObject({ result: 2 })
})

test('one that waits for its turn never starts', async () => {
  const busy = { code: 'await new Promise(() => {})', mode: 'background', limits: { timeout_ms: 20_000 } } as const
  const all = await Promise.all(Array.from({ length: 6 }, () => tools.call('run_code', busy)))
  for (const { invocation_id } of all.toReversed())
    expect((await tools.call('cancel_invocation', { invocation_id })).invocation.status).toBe('cancelled')
})

test('an invocation that nobody made', async () => {
  const error = await tools.callError('cancel_invocation', { invocation_id: 'inv_nobody' })
  expect(error).toMatchObject({ code: 'NOT_FOUND' })
})
