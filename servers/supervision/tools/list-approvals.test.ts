import { type Opened, open } from '@story-portal/shared/testing'
import { beforeAll, expect, test } from 'vitest'

let approvals: Opened
beforeAll(async () => {
  approvals = await open('supervision', { start: true, with: ['tool-execution'] })
  await approvals.callOn('tool-execution', 'register_tool', {
    name: 'risky',
    version: '1.0.0',
    description: 'Asks first.',
    requires_approval: true,
    input_schema: {},
    source: { type: 'javascript', code: 'return 1' },
  })
})

test('what waits, the longest first, with exact arguments, page by page and by call', async () => {
  const asked = []
  for (let n = 0; n < 3; n++)
    asked.push(await approvals.callOn('tool-execution', 'invoke_tool', { tool: 'risky', arguments: { n } }))
  const first = await approvals.call('list_approvals', { limit: 2 })
  expect(first.items).toMatchObject([
    { tool: 'risky', tool_version: '1.0.0', arguments: { n: 0 }, requested_by: 'user:local', status: 'pending' },
    { arguments: { n: 1 } },
  ])
  const second = await approvals.call('list_approvals', { limit: 2, cursor: first.next_cursor })
  expect(second).toMatchObject({ items: [{ arguments: { n: 2 } }], next_cursor: null })
  const { id: invocation_id } = asked[1].invocation
  const [one] = (await approvals.call('list_approvals', { invocation_id })).items
  await approvals.call('decide_approval', { approval_id: one.id, decision: 'deny' })
  expect((await approvals.call('list_approvals', { tool: 'risky' })).items).toHaveLength(2)
  expect((await approvals.call('list_approvals', { status: 'denied' })).items).toMatchObject([{ invocation_id }])
})

test('what nobody decides expires, and its call is refused', async () => {
  const other = await open('supervision', {
    start: true,
    with: ['tool-execution', 'runtime'],
    config: { engine: { ...approvals.host.config.engine, approvalMs: 1_000, reconcileMs: 100 } },
  })
  const args = { tool: 'quick', arguments: {}, idempotency_key: 'e1' }
  await other.callOn('tool-execution', 'register_tool', {
    name: 'quick',
    version: '1.0.0',
    description: 'Asks first.',
    requires_approval: true,
    input_schema: {},
    source: { type: 'javascript', code: 'return 1' },
  })
  const { approval } = await other.callOn('tool-execution', 'invoke_tool', args)
  await other.db.advance(2_000)
  const state = async () => (await other.callOn('tool-execution', 'invoke_tool', args)).invocation
  await expect.poll(async () => (await state()).status, { timeout: 15_000 }).toBe('denied')
  expect(await state()).toMatchObject({ error: { number: 'E0521' } })
  const error = await other.callError('decide_approval', { approval_id: approval.id, decision: 'approve' })
  expect(error).toMatchObject({ code: 'CONFLICT', details: { status: 'expired' } })
})
