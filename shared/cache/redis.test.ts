import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startRedis, type TestRedis } from '../testing/redis.ts'
import { portsContract } from './ports.contract.ts'
import { redisServices } from './redis.ts'

let redis: TestRedis
const log = { warn() {} }

beforeAll(async () => {
  redis = await startRedis({ own: true })
})
afterAll(() => redis.stop())

const open = (namespace = `test-${randomUUID()}`, warn = log.warn) =>
  redisServices({ url: redis.url, commandTimeoutMs: 300, namespace }, { warn })

portsContract('redis', async () => {
  const namespace = `test-${randomUUID()}`
  return Promise.all([open(namespace), open(namespace)])
})

test('Redis dies and comes back: a miss, local counting and local delivery, never an error', async () => {
  const lines: string[] = []
  const services = await open(undefined, ((_fields: object, line: string) => void lines.push(line)) as typeof log.warn)
  const other = await open()
  const heard: unknown[] = []
  await services.bus.subscribe('wake', (message) => void heard.push(message))
  await services.cache.set('k', 1, { ttl_ms: 60_000 })
  await redis.halt?.()

  await expect.poll(() => services.status().ok).toBe(false)
  expect(await services.cache.get('k')).toBeUndefined()
  await services.cache.set('k', 2, { ttl_ms: 60_000 })
  await services.cache.delete('k')
  expect(await services.cache.getOrSet('k', { ttl_ms: 60_000 }, async () => 3)).toBe(3)
  const limit = { points: 2, window_ms: 60_000 }
  const allowed = []
  for (let i = 0; i < 4; i++) allowed.push((await services.limiter.consume('l', 1, limit)).allowed)
  expect(allowed).toEqual([true, true, false, false])
  await services.bus.publish('wake', 'while down')
  expect(heard).toEqual(['while down'])
  const late: unknown[] = []
  await services.bus.subscribe('late', (message) => void late.push(message))

  await redis.resume?.()
  await expect.poll(() => services.status().ok, { timeout: 20_000 }).toBe(true)
  await services.cache.set('k', 4, { ttl_ms: 60_000 })
  expect(await services.cache.get('k')).toBe(4)
  // Subscriptions made before and during the outage hear what comes from outside again.
  await expect
    .poll(
      async () => {
        await services.bus.publish('wake', 'back')
        await services.bus.publish('late', 'back')
        return heard.includes('back') && late.includes('back')
      },
      { timeout: 20_000 },
    )
    .toBe(true)
  expect(lines.filter((line) => line.includes('is not reachable')).length).toBeLessThanOrEqual(2)
  await services.close()
  await other.close()
})

test('it opens while nothing listens at the address, and a wrong value in the store is a miss', async () => {
  const away = await redisServices({ url: 'redis://127.0.0.1:1', commandTimeoutMs: 100 }, log)
  expect(away.status()).toEqual({ adapter: 'redis', ok: false })
  expect(await away.cache.getOrSet('k', { ttl_ms: 1_000 }, async () => 1)).toBe(1)
  await away.close()
})
