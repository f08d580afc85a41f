import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type Opened, open } from '@story-portal/shared/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'

let tools: Opened
let host: string
let broken = true
let seen = 0
const receiver = createServer((request, response) => {
  if (broken) return void response.writeHead(503).end()
  seen += 1
  response.end(request.url)
})

beforeAll(async () => {
  await new Promise<void>((listening) => receiver.listen(0, '127.0.0.1', listening))
  host = `127.0.0.1:${(receiver.address() as AddressInfo).port}`
  const config = { fetch: { privateHosts: host } }
  tools = await open('tool-execution', { start: true, with: ['data', 'supervision'], config })
})
afterAll(() => receiver.close())

let count = 0
async function failed(more: object = {}) {
  const name = `fragile${++count}`
  const code = `const { status } = await http.fetch('http://${host}/${name}'); if (status !== 200) throw new Error('down'); return input.n`
  const tool = { name, version: '1.0.0', description: 'Fails.', input_schema: { type: 'object' }, ...more }
  await tools.call('register_tool', { ...tool, permissions: { http: [host] }, source: { type: 'javascript', code } })
  broken = true
  const { invocation } = await tools.call('invoke_tool', { tool: name, arguments: { n: 7 }, mode: 'background' })
  await ended(invocation.id, 'failed')
  broken = false
  return invocation.id as string
}

const get = async (id: string) => (await tools.call('get_invocation', { invocation_id: id })).invocation
const ended = (id: string, status: string) =>
  expect.poll(async () => (await get(id)).status, { timeout: 15_000 }).toBe(status)
const dead = async () =>
  (await tools.call('list_invocations', { dead_letters: true })).items.map(({ id }: { id: string }) => id)
const retry = (invocation_id: string, more: object = {}) => tools.call('retry_invocation', { invocation_id, ...more })

test('a dead letter is run again once, however often that is asked, and is none any more', async () => {
  const id = await failed()
  expect(await dead()).toContain(id)
  const answers = await Promise.all([retry(id, { note: 'it is back' }), retry(id), retry(id)])
  const [first] = answers.map(({ invocation }) => invocation.id)
  expect(answers.map(({ invocation }) => invocation.id)).toEqual([first, first, first])
  await ended(first, 'succeeded')
  expect(await get(first)).toMatchObject({ output: 7, retry_of: id })
  expect((await retry(id)).invocation).toMatchObject({ id: first, replayed: true, status: 'succeeded' })
  expect(seen).toBe(1)
  expect(await dead()).not.toContain(id)
  expect((await get(id)).status).toBe('failed')
})

test('a retry that fails is a dead letter itself, and the next retry of the first is another call', async () => {
  const id = await failed()
  broken = true
  const first = (await retry(id)).invocation.id
  await ended(first, 'failed')
  expect(await dead()).toContain(first)
  broken = false
  const second = (await retry(id)).invocation.id
  expect(second).not.toBe(first)
  await ended(second, 'succeeded')
})

test('a retry of a retry is one more of the first call: what one of them did, none does again', async () => {
  const id = await failed()
  broken = true
  const first = (await retry(id)).invocation.id
  await ended(first, 'failed')
  broken = false
  const before = seen
  const answers = await Promise.all([retry(first), retry(id)])
  const [second] = answers.map(({ invocation }) => invocation.id)
  expect(answers.map(({ invocation }) => invocation.id)).toEqual([second, second])
  await ended(second, 'succeeded')
  expect((await retry(id)).invocation.id).toBe(second)
  expect((await retry(first)).invocation.id).toBe(second)
  expect((await get(second)).retry_of).toBe(id)
  expect(seen - before).toBe(1)
})

test('discarded it is no dead letter; a call that somebody waited for never was one', async () => {
  const id = await failed()
  expect((await retry(id, { discard: true, note: 'not needed' })).invocation.closed_at).not.toBeNull()
  expect(await dead()).not.toContain(id)
  const { invocation } = await tools.call('invoke_tool', { tool: 'fragile1', arguments: {} })
  expect(invocation.status).toBe('succeeded')
  const error = await tools.callError('run_code', { code: 'throw new Error("x")' })
  expect(await dead()).not.toContain(error.details?.['invocation_id'])
  const again = (await retry(error.details?.['invocation_id'] as string)).invocation.id
  await ended(again, 'failed')
})

test('what needs a person is asked for again', async () => {
  const name = `asked${++count}`
  const source = { type: 'javascript', code: 'return "done"' }
  const tool = { name, version: '1.0.0', description: 'x', input_schema: {}, source, requires_approval: true }
  await tools.call('register_tool', tool)
  const asked = await tools.call('invoke_tool', { tool: name })
  const decide = (approval_id: string, decision: string) =>
    tools.callOn('supervision', 'decide_approval', { approval_id, decision })
  await decide(asked.approval.id, 'deny')
  const again = await retry(asked.invocation.id)
  expect(again.invocation.status).toBe('pending_approval')
  await decide(again.approval.id, 'approve')
  await ended(again.invocation.id, 'succeeded')
})

test('what a person allowed, and then failed with nobody waiting for it, is a dead letter', async () => {
  const name = `asked${++count}`
  const source = { type: 'javascript', code: 'throw new Error("no")' }
  const tool = { name, version: '1.0.0', description: 'x', input_schema: {}, source, requires_approval: true }
  await tools.call('register_tool', tool)
  const { invocation, approval } = await tools.call('invoke_tool', { tool: name })
  await tools.callOn('supervision', 'decide_approval', { approval_id: approval.id, decision: 'approve' })
  await ended(invocation.id, 'failed')
  expect(await dead()).toContain(invocation.id)
})

test('what succeeded, runs, or whose outcome nobody knows is not run again', async () => {
  const { invocation_id } = await tools.call('run_code', { code: 'return 1' })
  expect(await tools.callError('retry_invocation', { invocation_id })).toMatchObject({ number: 'E3061' })
  const silent = createServer((request) => request.socket.destroy())
  await new Promise<void>((listening) => silent.listen(0, '127.0.0.1', listening))
  const url = `http://127.0.0.1:${(silent.address() as AddressInfo).port}`
  const operation = { operationId: 'send', responses: { 200: { description: 'x' } } }
  const document = { openapi: '3.0.3', info: { title: 'x', version: '1' }, paths: { '/': { post: operation } } }
  await tools.call('import_openapi', { name: 'silent', document, server_url: url })
  const { invocation } = await tools.call('invoke_tool', { tool: 'silent_send', mode: 'background' })
  await ended(invocation.id, 'unknown')
  expect(await dead()).toContain(invocation.id)
  expect(await tools.callError('retry_invocation', { invocation_id: invocation.id })).toMatchObject({ number: 'E3062' })
  await tools.call('settle_invocation', { invocation_id: invocation.id, outcome: 'not_done' })
  expect((await retry(invocation.id)).invocation.retry_of).toBe(invocation.id)
  silent.close()
})
