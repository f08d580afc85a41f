import { Redis } from 'ioredis'
import { afterEach, expect, test, vi } from 'vitest'
import { startRedis } from './redis.ts'

afterEach(() => vi.unstubAllEnvs())

test('a private server starts empty again after it was killed, and is gone after stop', async () => {
  const server = await startRedis({ own: true })
  const client = new Redis(server.url, { maxRetriesPerRequest: 0, retryStrategy: () => 20 })
  client.on('error', () => {})
  await client.set('a', 1)
  await server.halt?.()
  await server.resume?.()
  await expect.poll(() => client.get('a').catch(() => 'away'), { timeout: 10_000 }).toBe(null)
  await server.stop()
  await expect.poll(() => client.ping().catch(() => 'away'), { timeout: 10_000 }).toBe('away')
  client.disconnect()
})

test('on a server that is given only an empty database is used, and emptied again', async () => {
  const given = await startRedis({ own: true })
  const client = new Redis(`${given.url}/15`)
  await client.set('somebody', 'else')
  vi.stubEnv('TEST_REDIS_URL', '')
  vi.stubEnv('REDIS_URL', given.url)
  const [first, second] = [await startRedis(), await startRedis()]
  expect([first.url, second.url]).toEqual([`${given.url}/14`, `${given.url}/13`])
  const inside = new Redis(first.url)
  await inside.set('ours', 1)
  await first.stop()
  expect(await inside.dbsize()).toBe(0)
  expect(await client.get('somebody')).toBe('else')
  await second.stop()
  client.disconnect()
  inside.disconnect()
  await given.stop()
})

test('an address where nothing listens is an error at once', async () => {
  vi.stubEnv('TEST_REDIS_URL', '')
  vi.stubEnv('REDIS_URL', 'redis://127.0.0.1:1')
  await expect(startRedis()).rejects.toThrow(/ECONNREFUSED|closed/)
})
