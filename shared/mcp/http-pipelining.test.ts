import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import fc from 'fast-check'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { fixtureServer, type Served, serve } from '../testing/index.ts'

/** What one connection may have open, and what its neighbours feel of it. By the hundred: test/protocol/slow-connections.test.ts. */
let served: Served
let sockets: Socket[] = []

beforeAll(async () => {
  served = await serve(fixtureServer())
})
afterEach(async () => {
  for (const socket of sockets) socket.destroy()
  sockets = []
  await expect.poll(inFlight, { interval: 20 }).toBe(0)
})
afterAll(() => served.close())

const HEADERS = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' }

function body(id: number, tool: string, args: object): string {
  return JSON.stringify({ jsonrpc: '2.0', id, method: 'tools/call', params: { name: tool, arguments: args } })
}

function call(id: number, tool: string, args: object): string {
  const text = body(id, tool, args)
  return `POST /mcp HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer ${served.token}\r\ncontent-type: application/json\r\naccept: application/json, text/event-stream\r\ncontent-length: ${Buffer.byteLength(text)}\r\n\r\n${text}`
}

function open(): Socket {
  const socket = connect(served.http.port, '127.0.0.1')
  // Being cut off is what some are here for.
  socket.on('error', () => {})
  sockets.push(socket)
  return socket
}

/** A client that has sent this and reads nothing. */
function mute(bytes: string): Socket {
  const socket = open().pause()
  socket.write(bytes)
  return socket
}

async function honest(value: unknown): Promise<void> {
  const response = await served.request('/mcp', {
    method: 'POST',
    headers: HEADERS,
    body: body(1, 'echo_value', { value }),
  })
  expect(await response.text()).toContain(`"value":${JSON.stringify(value)}`)
}

async function metric(pattern: RegExp): Promise<number> {
  return Number(pattern.exec(await served.host.metrics.text())?.[1] ?? 0)
}

const inFlight = () => metric(/calls_in_flight\{server="fixture"\} (\d+)/)
const echoed = () => metric(/tool_calls_total\{[^}]*tool="echo_value"[^}]*\} (\d+)/)

/** Sends all and takes as many answers; their ids, in the order in which they came. */
async function exchange(requests: string[]): Promise<number[]> {
  const socket = open().setEncoding('utf8')
  let text = ''
  const ids = () => [...text.matchAll(/"jsonrpc":"2\.0","id":(\d+)/g)].map(([, id]) => Number(id))
  socket.write(requests.join(''))
  for await (const piece of socket) {
    text += piece
    if (ids().length === requests.length) break
  }
  return ids()
}

test('of the requests of one connection eight are at work, the others wait; a call of another goes in between', async () => {
  mute(Array.from({ length: 100 }, (_, id) => call(id, 'run_slowly', { steps: 50, step_ms: 20 })).join(''))
  await expect.poll(inFlight, { interval: 5 }).toBe(8)
  for (let i = 0; i < 20; i += 1) {
    await honest(i)
    expect(await inFlight()).toBeLessThanOrEqual(8)
  }
})

test('pipelined requests of all sizes are answered each, in order', async () => {
  const sizes = fc.array(fc.oneof(fc.nat(50), fc.nat(3_000), fc.nat(100_000)), { minLength: 1, maxLength: 60 })
  await fc.assert(
    fc.asyncProperty(sizes, async (list) => {
      const requests = list.map((size, id) => call(id, 'echo_value', { value: 'x'.repeat(size) }))
      expect(await exchange(requests)).toEqual(list.map((_, id) => id))
    }),
    { numRuns: 20, seed: 20261125 },
  )
})

test('a connection whose answers nobody takes is not read any further', async () => {
  const size = 4_096
  const empty = call(1, 'echo_value', { value: '' }).length
  const ask = call(1, 'echo_value', { value: 'x'.repeat(size - empty - 1) }).slice(0, size)
  expect(ask).toHaveLength(size)
  // Every read of 64 KB ends within a body: Node wants to read on for it.
  const socket = mute(call(1, 'echo_value', { value: 'x'.repeat(size / 2 - empty) }))
  const before = await echoed()
  for (let i = 0; i < 40; i += 1) socket.write(ask.repeat(256))
  await expect.poll(echoed, { interval: 20 }).toBeGreaterThan(before + 100)
  for (let i = 0; i < 100; i += 1) await honest(i)
  expect(socket.writableLength).toBeGreaterThan(0)
})

/** Connections that the server has taken. */
async function accepted(count: number): Promise<Socket[]> {
  const all = Array.from({ length: count }, open)
  await Promise.all(all.map((socket) => once(socket, 'connect')))
  await honest('all are taken')
  return all
}

const flood = () => Array.from({ length: 150 }, (_, id) => call(id, 'echo_value', { value: 'x' })).join('')

test('a call that comes after thousands of others is answered before them', async () => {
  const floods = await accepted(51)
  const other = floods.pop() as Socket
  const before = await echoed()
  for (const socket of floods) socket.pause().write(flood())
  other.write(call(1, 'echo_value', { value: 'late' }))
  await once(other, 'data')
  expect((await echoed()) - before).toBeLessThan((floods.length * 150) / 2)
})

test('too many that wait: floods are cut off, who pipelines a few is answered', async () => {
  const few = Array.from({ length: 8 }, (_, id) => call(id, 'echo_value', { value: id }))
  const floods = await accepted(100)
  const cut = floods.map((socket) => new Promise((resolve) => socket.resume().once('close', resolve)))
  for (const socket of floods) socket.write(flood())
  expect(await exchange(few)).toEqual([0, 1, 2, 3, 4, 5, 6, 7])
  await Promise.race(cut)
})
