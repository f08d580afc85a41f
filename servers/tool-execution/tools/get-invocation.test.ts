import { open } from '@story-portal/shared/testing'
import { expect, test } from 'vitest'

test('returns what is known of one invocation, and not who holds its lease', async () => {
  const { call } = await open('tool-execution')
  const { invocation_id } = await call('run_code', { code: 'console.log(1); return input', input: { a: 1 } })
  const { invocation } = await call('get_invocation', { invocation_id })
  expect(invocation).toMatchObject({
    id: invocation_id,
    status: 'succeeded',
    output: { a: 1 },
    logs: [{ level: 'log', message: '1' }],
    arguments: { language: 'javascript', input: { a: 1 } },
  })
  expect(Object.keys(invocation)).not.toEqual(expect.arrayContaining(['lease_token']))
  expect(invocation).not.toHaveProperty('caller')
})

test('an unknown id, the id of something else and another tenant get nothing', async () => {
  const mine = await open('tool-execution')
  const other = await open('tool-execution')
  const { invocation_id } = await mine.call('run_code', { code: 'return 1' })
  expect(await other.callError('get_invocation', { invocation_id })).toMatchObject({ code: 'NOT_FOUND' })
  expect(await mine.callError('get_invocation', { invocation_id: 'inv_unknown' })).toMatchObject({ code: 'NOT_FOUND' })
  expect(await mine.callError('get_invocation', { invocation_id: 'tsk_1' })).toMatchObject({ code: 'INVALID_INPUT' })
})
