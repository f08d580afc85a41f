import { readFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { agent, httpChannel, rpc } from './channels.ts'
import { type PlatformProcess, startPlatformProcess } from './platform-process.ts'

/**
 * Connections that are slow, silent or never read, in the hundreds and thousands: the server cuts them off, honest calls go on
 * meanwhile, memory stays bounded.
 * What is asserted is that this happens; how fast is printed. The three that run at once share the growth of memory.
 * PROTOCOL_SLOW (500), PROTOCOL_IDLE (10,000; as many as the limit of open files allows), PROTOCOL_READERS (100).
 */
const SLOW = Number(process.env['PROTOCOL_SLOW'] ?? 500)
const IDLE = Math.min(Number(process.env['PROTOCOL_IDLE'] ?? 10_000), Math.floor(openFiles() * 0.6))
const READERS = Number(process.env['PROTOCOL_READERS'] ?? 100)
const SERVER = 'planning'
/** Far more than was ever seen, far less than a leak of what these connections could send. */
const MAX_GROWTH_BYTES = 600e6

let platform: PlatformProcess
let port: number

beforeAll(async () => {
  platform = await startPlatformProcess()
  port = platform.port(SERVER)
})
afterAll(async () => {
  agent.destroy()
  await platform.close()
})

function openFiles(): number {
  return Number(/^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1] ?? 1_024)
}

const LIST = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list', params: {} })

function head(more: string): string {
  return `POST /mcp HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\naccept: application/json, text/event-stream\r\n${more}\r\n`
}

/** Opens connections that do as `behave` says, until the server has closed every one; calls honestly meanwhile. */
async function outlast(what: string, count: number, behave: (socket: Socket, index: number) => void): Promise<void> {
  const before = platform.rssBytes()
  const started = performance.now()
  const channel = httpChannel(platform, SERVER, 'modern')
  const took: number[] = []
  const honest = async () => {
    const start = performance.now()
    const params = { name: 'list_goals', arguments: {} }
    const answer = await channel.ask(rpc('modern', `honest ${took.length}`, 'tools/call', params))
    took.push(performance.now() - start)
    expect(answer.messages[0]?.result?.structuredContent, answer.text).toEqual({ items: [], next_cursor: null })
  }
  let open = 0
  let peak = before
  for (let i = 0; i < count; i += 1) {
    const socket = connect(port, '127.0.0.1')
    // A reset is a way of being cut off.
    socket.on('error', () => {})
    open += 1
    socket.once('close', () => {
      open -= 1
    })
    socket.once('connect', () => behave(socket, i))
    // The queue of connections not yet taken is short, and what falls out of it nobody cuts off: an answer says that it was emptied.
    if (i % 200 === 199) await honest()
  }
  while (open > 0) {
    await honest()
    peak = Math.max(peak, platform.rssBytes())
    await sleep(20)
  }
  const seconds = (performance.now() - started) / 1_000
  const p95 = took.sort((a, b) => a - b)[Math.floor(took.length * 0.95)] ?? 0
  process.stderr.write(
    `${count} ${what}: all cut off after ${seconds.toFixed(1)} s, ${took.length} honest calls with p95 ${p95.toFixed(0)} ms and none over ${(took.at(-1) ?? 0).toFixed(0)} ms, memory ${((peak - before) / 1e6).toFixed(0)} MB more\n`,
  )
  expect(peak - before).toBeLessThan(MAX_GROWTH_BYTES)
  expect(platform.exitCode()).toBeUndefined()
  expect(platform.stderr()).toBe('')
}

/** A byte now and then for as long as the connection stands. */
function dribble(socket: Socket): void {
  const timer = setInterval(() => socket.write('a'), 500)
  socket.once('close', () => clearInterval(timer))
  socket.resume()
}

test.concurrent('headers that come a byte at a time', async () => {
  await outlast('connections with slow headers', SLOW, (socket) => {
    socket.write('POST /mcp HTTP/1.1\r\nhost: 127.0.0.1\r\nx-slow: ')
    dribble(socket)
  })
})

test.concurrent('bodies that come a byte at a time, with and without the token', async () => {
  await outlast('connections with slow bodies', SLOW, (socket, i) => {
    const token = i % 2 === 0 ? `authorization: Bearer ${platform.token}\r\n` : ''
    const size = i % 4 < 2 ? 'content-length: 100000\r\n' : 'transfer-encoding: chunked\r\n'
    socket.write(head(token + size) + (i % 4 < 2 ? '{"jsonrpc":' : 'fffff\r\n{"jsonrpc":'))
    dribble(socket)
  })
})

test('connections that say nothing', async () => {
  await outlast('silent connections', IDLE, (socket) => socket.resume())
})

test.concurrent('clients that ask for more and more and read none of it', async () => {
  const ask = head(`authorization: Bearer ${platform.token}\r\ncontent-length: ${LIST.length}\r\n`) + LIST
  await outlast('clients that do not read', READERS, (socket) => {
    socket.pause()
    socket.write(ask.repeat(1_000))
    // Who does not read learns of the end by writing.
    const timer = setInterval(() => socket.write('a'), 500)
    socket.once('close', () => clearInterval(timer))
  })
})
