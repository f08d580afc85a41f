import { once } from 'node:events'
import net from 'node:net'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type FaultProxy, startFaultProxy } from './fault-proxy.ts'

let echo: net.Server
let proxy: FaultProxy
const clients: net.Socket[] = []

beforeEach(async () => {
  echo = net.createServer((socket) => {
    socket.on('error', () => {})
    socket.pipe(socket)
  })
  await new Promise<void>((resolve) => echo.listen(0, '127.0.0.1', resolve))
  proxy = await startFaultProxy({ port: (echo.address() as net.AddressInfo).port })
})
afterEach(async () => {
  for (const client of clients.splice(0)) client.destroy()
  await proxy.close()
  await new Promise((resolve) => echo.close(resolve))
})

function connect(): net.Socket & { heard: () => string } {
  const socket = net.connect(proxy.port, '127.0.0.1')
  const parts: Buffer[] = []
  socket.on('data', (data) => parts.push(data))
  socket.on('error', () => {})
  clients.push(socket)
  return Object.assign(socket, { heard: () => Buffer.concat(parts).toString() })
}

/** A reset comes with an error event first, which `once` would reject for. */
const closed = (socket: net.Socket) => new Promise<void>((resolve) => socket.once('close', () => resolve()))

test('without faults everything passes, and an end reaches the other side', async () => {
  const client = connect()
  client.end('hello')
  await closed(client)
  expect(client.heard()).toBe('hello')
  await expect.poll(() => proxy.connections()).toBe(0)
})

test('large data arrives complete and in order while it is delayed and throttled', async () => {
  proxy.delay(1)
  proxy.throttle(20_000_000)
  const client = connect()
  const text = Array.from({ length: 100_000 }, (_, i) => `${i} `).join('')
  client.end(text)
  await closed(client)
  expect(client.heard() === text).toBe(true)
})

test('in a black hole nothing arrives, and what was sent arrives after healing', async () => {
  const client = connect()
  client.write('a')
  await expect.poll(client.heard).toBe('a')
  proxy.blackhole()
  client.write('b')
  const later = connect()
  later.write('c')
  await once(later, 'connect')
  await expect.poll(() => proxy.connections()).toBe(2)
  expect([client.heard(), later.heard()]).toEqual(['a', ''])
  proxy.heal()
  await expect.poll(() => [client.heard(), later.heard()]).toEqual(['ab', 'c'])
})

test('a cut breaks open connections off and lets new ones through; refuse lets none through until healed', async () => {
  const client = connect()
  client.write('a')
  await expect.poll(client.heard).toBe('a')
  proxy.cut()
  await closed(client)
  const second = connect()
  second.write('b')
  await expect.poll(second.heard).toBe('b')
  proxy.refuse()
  await closed(second)
  await closed(connect())
  proxy.heal()
  const third = connect()
  third.write('c')
  await expect.poll(third.heard).toBe('c')
})

test('a lost answer: the server has the request, the client only sees its connection break', async () => {
  const received: string[] = []
  echo.on('connection', (socket) => socket.on('data', (data) => received.push(String(data))))
  const client = connect()
  await once(client, 'connect')
  proxy.loseNextAnswer()
  client.write('do it')
  await closed(client)
  expect(received).toEqual(['do it'])
  expect(client.heard()).toBe('')
})

test('an address goes through with its credentials', () => {
  expect(proxy.through('postgres://me:secret@db.local:5432/name')).toBe(
    `postgres://me:secret@127.0.0.1:${proxy.port}/name`,
  )
})
