import { randomUUID } from 'node:crypto'
import { sql } from 'kysely'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type TestDatabase, testDatabase } from '../testing/database.ts'
import { createCacheServices } from './index.ts'
import { portsContract } from './ports.contract.ts'
import { postgresServices } from './postgres.ts'

let db: TestDatabase
const log = { warn() {} }

beforeAll(async () => {
  db = await testDatabase()
})
afterAll(() => db.close())

portsContract('postgres', () => Promise.all([postgresServices(db, log), postgresServices(db, log)]))

test('a window ends by database time', async () => {
  const { limiter, close } = await postgresServices(db, log)
  const key = randomUUID()
  const limit = { points: 1, window_ms: 3_600_000 }
  expect((await limiter.consume(key, 1, limit)).allowed).toBe(true)
  expect((await limiter.consume(key, 1, limit)).allowed).toBe(false)
  db.advance(3_600_001)
  expect((await limiter.consume(key, 1, limit)).allowed).toBe(true)
  await close()
})

test('ended windows are swept away', async () => {
  const { limiter, close } = await postgresServices(db, log)
  await limiter.consume('old', 1, { points: 1, window_ms: 1_000 })
  db.advance(120_000)
  const limit = { points: 1_000, window_ms: 600_000 }
  for (let i = 0; i < 500; i++) await limiter.consume('new', 1, limit)
  const { rows } = await db.tx({ kind: 'system', name: 'test' }, (tx) =>
    sql<{ key: string }>`select key from core.rate_limits where key in ('1-1000:old', '1000-600000:new')`.execute(tx),
  )
  expect(rows).toEqual([{ key: '1000-600000:new' }])
  await close()
})

test('with the database gone it counts and delivers in this process', async () => {
  const lines: string[] = []
  const broken = { ...db, tx: () => Promise.reject(new Error('gone')), listen: db.listen.bind(db) }
  const services = await postgresServices(broken as typeof db, { warn: (_fields, line) => void lines.push(line) })
  const limit = { points: 1, window_ms: 60_000 }
  expect((await services.limiter.consume('k', 1, limit)).allowed).toBe(true)
  expect((await services.limiter.consume('k', 1, limit)).allowed).toBe(false)
  expect(services.status()).toEqual({ adapter: 'postgres', ok: false })
  const heard: unknown[] = []
  await services.bus.subscribe('here', (message) => void heard.push(message))
  await services.bus.publish('here', 1)
  expect(heard).toEqual([1])
  expect(lines.length).toBeGreaterThan(0)
  await services.close()
})

test('the adapter is picked by configuration and mode', async () => {
  const services = await createCacheServices({ config: {}, db, log })
  expect(services.status().adapter).toBe(db.mode === 'embedded' ? 'memory' : 'postgres')
  await services.close()
  const redis = { url: 'redis://127.0.0.1:1', commandTimeoutMs: 100 }
  const away = await createCacheServices({ config: { redis }, db, log })
  expect(away.status()).toEqual({ adapter: 'redis', ok: false })
  await away.close()
})
