import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Opened, open } from '@story-portal/shared/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'

/** A receiver that counts how many requests it has at a time, by path. */
const atOnce = new Map<string, number>()
const most = new Map<string, number>()
const order: string[] = []
let takes = 60

const receiver = createServer(async (request, response: ServerResponse) => {
  const path = request.url ?? ''
  const now = (atOnce.get(path) ?? 0) + 1
  atOnce.set(path, now)
  most.set(path, Math.max(most.get(path) ?? 0, now))
  let body = ''
  for await (const chunk of request) body += chunk
  order.push(body)
  await sleep(takes)
  atOnce.set(path, (atOnce.get(path) ?? 1) - 1)
  response.end('done')
})

let one: Opened
let two: Opened
let host: string
beforeAll(async () => {
  await new Promise<void>((listening) => receiver.listen(0, '127.0.0.1', listening))
  host = `127.0.0.1:${(receiver.address() as AddressInfo).port}`
  const config = { fetch: { privateHosts: host } }
  one = await open('tool-execution', { start: true, with: ['data', 'supervision'], config })
  // Another process as far as places go: nothing is shared but the database.
  two = await open('tool-execution', { start: true, with: ['data'], config, caller: { tenant_id: one.tenant } })
})
afterAll(() => receiver.close())

let count = 0
async function slow(concurrency: object) {
  const name = `slow${++count}`
  const code = `await http.fetch('http://${host}/${name}/' + (input.account ?? ''), { method: 'POST', body: input.label ?? '' }); return input`
  const tool = { name, version: '1.0.0', description: 'Slow.', input_schema: { type: 'object' }, concurrency }
  await one.call('register_tool', { ...tool, permissions: { http: [host] }, source: { type: 'javascript', code } })
  return name
}

test('at most so many at a time, over two processes and both modes, and all are done', async () => {
  const tool = await slow({ limit: 2 })
  const calls = Array.from({ length: 12 }, (_, i) =>
    (i % 2 === 0 ? one : two).call('invoke_tool', {
      ...{ tool, arguments: { label: `n${i}` } },
      ...(i % 3 === 0 ? { mode: 'background' } : {}),
    }),
  )
  const ids = (await Promise.all(calls)).map(({ invocation }) => invocation.id)
  const ended = async () =>
    Promise.all(ids.map(async (id) => (await one.call('get_invocation', { invocation_id: id })).invocation.status))
  await expect.poll(ended, { timeout: 30_000 }).toEqual(ids.map(() => 'succeeded'))
  expect(most.get(`/${tool}/`)).toBe(2)
  expect(order.filter((label) => label.startsWith('n'))).toHaveLength(12)
}, 60_000)

test('with a key, calls with another value go on beside', async () => {
  const tool = await slow({ limit: 1, key: '/account' })
  const accounts = ['a', 'b', 'a', 'b', 'a']
  await Promise.all(accounts.map((account) => one.call('invoke_tool', { tool, arguments: { account } })))
  expect([most.get(`/${tool}/a`), most.get(`/${tool}/b`)]).toEqual([1, 1])
})

test('who waits longest goes first, and whoever gives up is cancelled and lets the next go', async () => {
  takes = 400
  const tool = await slow({ limit: 1 })
  const invoke = (label: string, signal?: AbortSignal) =>
    one.call('invoke_tool', { tool, arguments: { label } }, signal ? { signal } : {})
  const first = invoke('first')
  await expect.poll(() => order.includes('first')).toBe(true)
  const leaving = new AbortController()
  const gone = invoke('gone', leaving.signal).catch(() => 'gone')
  const pending = async () => (await one.call('list_invocations', { tool, status: 'pending' })).items.length
  await expect.poll(pending).toBe(1)
  const second = invoke('second')
  await expect.poll(pending).toBe(2)
  const third = two.call('invoke_tool', { tool, arguments: { label: 'third' } })
  await expect.poll(pending).toBe(3)
  leaving.abort()
  await Promise.all([first, second, third])
  expect(await gone).toBe('gone')
  expect(order.filter((label) => ['first', 'second', 'third', 'gone'].includes(label))).toEqual([
    'first',
    'second',
    'third',
  ])
  const { items } = await one.call('list_invocations', { tool })
  expect(items.map(({ status }: { status: string }) => status).toSorted()).toEqual([
    'cancelled',
    'succeeded',
    'succeeded',
    'succeeded',
  ])
  takes = 60
}, 60_000)

test('what a person allowed waits in the line too, before what came after it', async () => {
  takes = 400
  const tool = await slow({ limit: 1 })
  const code = `await http.fetch('http://${host}/${tool}/', { method: 'POST', body: input.label }); return input`
  const asking = { name: tool, version: '2.0.0', description: 'Asks.', input_schema: { type: 'object' } }
  await one.call('register_tool', {
    ...{ ...asking, concurrency: { limit: 1 }, requires_approval: true, permissions: { http: [host] } },
    source: { type: 'javascript', code },
  })
  const labels = ['holds', 'allowed', 'later1', 'later2', 'later3']
  const invoke = (label: string | undefined, version: string) =>
    one.call('invoke_tool', { tool, version, arguments: { label } })
  const holds = invoke(labels[0], '1.0.0')
  await expect.poll(() => order.includes('holds')).toBe(true)
  const { approval, invocation } = await invoke(labels[1], '2.0.0')
  await one.callOn('supervision', 'decide_approval', { approval_id: approval.id, decision: 'approve' })
  const later = labels.slice(2).map((label) => invoke(label, '1.0.0'))
  const pending = async () => (await one.call('list_invocations', { tool, status: 'pending' })).items.length
  await expect.poll(pending).toBe(3)
  await Promise.all([holds, ...later])
  const status = async () => (await one.call('get_invocation', { invocation_id: invocation.id })).invocation.status
  await expect.poll(status, { timeout: 15_000 }).toBe('succeeded')
  expect(order.filter((label) => labels.includes(label))).toEqual(expect.arrayContaining(labels))
  expect(order.filter((label) => labels.includes(label)).slice(0, 2)).toEqual(['holds', 'allowed'])
  takes = 60
}, 60_000)

test('the same key waits once and runs once', async () => {
  const tool = await slow({ limit: 1 })
  const args = { tool, arguments: { label: 'same' }, idempotency_key: 'same' }
  const results = await Promise.all([one, two, one, two].map((process) => process.call('invoke_tool', args)))
  expect(new Set(results.map(({ invocation }) => invocation.id)).size).toBe(1)
  expect(order.filter((label) => label === 'same')).toHaveLength(1)
})

test('a limit that can not be kept registers nothing', async () => {
  const tool = { name: 'unlimited', version: '1.0.0', description: 'x', input_schema: {} }
  const source = { type: 'javascript', code: 'return 1' }
  for (const concurrency of [{ limit: 0 }, { limit: 1, key: 'account' }, { limit: 1, keys: '/a' }]) {
    const error = await one.callError('register_tool', { ...tool, source, concurrency })
    expect(JSON.stringify(error.details?.['faults'])).toContain('"path":"concurrency.')
  }
})
