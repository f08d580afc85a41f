import { createServer, type Socket } from 'node:net'
import { expect, test } from 'vitest'
import { createLogger } from '../../telemetry/index.ts'
import { PostgresSource } from './source.ts'

const message = (type: string, body: Buffer): Buffer => {
  const head = Buffer.alloc(5, type)
  head.writeInt32BE(body.length + 4, 1)
  return Buffer.concat([head, body])
}
const WELCOME = [message('R', Buffer.alloc(4)), message('Z', Buffer.from('I'))]
const FAREWELL = message('E', Buffer.from('SFATAL\0C57P01\0Mterminating connection due to administrator command\0\0'))

test('a connection that is ended in the moment it is made fails its borrower and not the process', async () => {
  const sockets: Socket[] = []
  const server = createServer((socket) => {
    sockets.push(socket)
    socket.once('data', () => socket.end(Buffer.concat([...WELCOME, FAREWELL])))
    socket.on('error', () => {})
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  const options = {
    ...{ url: `postgres://nobody:nothing@127.0.0.1:${port}/none`, poolMax: 2, connectTimeoutMs: 2_000 },
    ...{ lockTimeoutMs: 1_000, statementTimeoutMs: 1_000, idleTransactionMs: 1_000 },
  }
  const source = new PostgresSource(options, createLogger({ name: 'test', level: 'silent' }))
  // An event that nobody hears is an uncaught exception, which fails this test by itself.
  await expect(source.acquire()).rejects.toThrow(/connection/i)
  await source.end()
  for (const socket of sockets) socket.destroy()
  await new Promise((resolve) => server.close(resolve))
})
