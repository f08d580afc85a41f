import { open } from '@story-portal/shared/testing'
import { expect, test } from 'vitest'

test('code runs with its input, and the call is on record', async () => {
  const { call } = await open('tool-execution')
  const run = await call('run_code', { code: 'console.log("hi"); return input.a + 1', input: { a: 1 } })
  expect(run).toMatchObject({
    result: 2,
    logs: [{ level: 'log', message: 'hi' }],
    status: 'succeeded',
    replayed: false,
  })
  expect(run.usage).toEqual({
    wall_ms: expect.any(Number),
    cpu_ms: expect.any(Number),
    memory_bytes: expect.any(Number),
  })
  const { invocation } = await call('get_invocation', { invocation_id: run.invocation_id })
  expect(invocation).toMatchObject({ status: 'succeeded', kind: 'code', output: 2, effect: 'pure', attempt: 1 })
})
