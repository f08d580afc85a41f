import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type Opened, open } from '@story-portal/shared/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'

let tools: Opened
let silent: Server
beforeAll(async () => {
  silent = createServer((request) => request.socket.destroy()).listen(0, '127.0.0.1')
  await new Promise((resolve) => silent.once('listening', resolve))
  const host = `127.0.0.1:${(silent.address() as AddressInfo).port}`
  tools = await open('tool-execution', { config: { fetch: { privateHosts: host } } })
})
afterAll(() => silent.close())

/** A request without an answer. */
async function unknown() {
  const host = `127.0.0.1:${(silent.address() as AddressInfo).port}`
  const code = `await http.fetch('http://${host}/', { method: 'POST' })`
  await tools.callError('run_code', { code, permissions: { http: [host] } })
  const { items } = await tools.call('list_invocations', { kind: 'capability', status: 'unknown', limit: 1 })
  return items[0]
}

test('what a person found out is recorded once, with the note in its history', async () => {
  const { id, version } = await unknown()
  const settle = { invocation_id: id, outcome: 'done', output: { status: 201 }, note: 'seen in their list' }
  expect(await tools.callError('settle_invocation', { ...settle, expected_version: version + 1 })).toMatchObject({
    code: 'CONFLICT',
  })
  const { invocation } = await tools.call('settle_invocation', settle)
  expect(invocation).toMatchObject({ id, status: 'succeeded', output: { status: 201 }, error: null })
  expect(await tools.callError('settle_invocation', settle)).toMatchObject({ number: 'E0507' })
})

test('not done is a failure that names what was found', async () => {
  const { id } = await unknown()
  const { invocation } = await tools.call('settle_invocation', { invocation_id: id, outcome: 'not_done' })
  expect(invocation).toMatchObject({ status: 'failed', error: { number: 'E0508' } })
})

test('an unknown id, an invocation that has an outcome, and code are refused', async () => {
  const settle = { outcome: 'done' }
  expect(await tools.callError('settle_invocation', { ...settle, invocation_id: 'inv_x' })).toMatchObject({
    code: 'NOT_FOUND',
  })
  const { invocation_id } = await tools.call('run_code', { code: 'return 1' })
  expect(await tools.callError('settle_invocation', { ...settle, invocation_id })).toMatchObject({ number: 'E0507' })
  const code = await open('tool-execution', { caller: { depth: 1 } })
  expect(await code.callError('settle_invocation', { ...settle, invocation_id })).toMatchObject({ number: 'E3058' })
})
