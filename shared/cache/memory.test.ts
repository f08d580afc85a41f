import { expect, test } from 'vitest'
import { memoryServices } from './index.ts'
import { portsContract } from './ports.contract.ts'

const log = { warn() {} }

portsContract('memory', async () => {
  const services = await memoryServices(log)
  return [services, services]
})

test('a value too large to keep is handed out and loaded again next time', async () => {
  const { cache } = await memoryServices(log)
  const large = 'x'.repeat(2_000_000)
  expect(await cache.getOrSet('large', { ttl_ms: 60_000 }, async () => large)).toBe(large)
  expect(await cache.getOrSet('large', { ttl_ms: 60_000 }, async () => 'loaded again')).toBe('loaded again')
})

test('status names the adapter', async () => {
  expect((await memoryServices(log)).status()).toEqual({ adapter: 'memory', ok: true })
})
