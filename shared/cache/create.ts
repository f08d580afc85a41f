import type { Db } from '../db/index.ts'
import { eventBus, localTransport } from './bus.ts'
import { memoryLimiter, rateLimiter } from './limiter.ts'
import { memoryCache } from './memory-cache.ts'
import { postgresServices } from './postgres.ts'
import { type RedisSettings, redisServices } from './redis.ts'
import type { CacheLog, CacheServices } from './types.ts'

export interface CacheServicesOptions {
  config: { redis?: RedisSettings | undefined }
  db: Db
  log: CacheLog
}

/**
 * Picks the adapters: Redis where it is configured; else memory when the database is embedded, because then there is one
 * process; else memory kept in step over PostgreSQL. Resolves also when Redis is down: it is used as soon as it is there.
 */
export async function createCacheServices({ config, db, log }: CacheServicesOptions): Promise<CacheServices> {
  if (config.redis) return redisServices(config.redis, log)
  if (db.mode === 'embedded') return memoryServices(log)
  return postgresServices(db, log)
}

/** For one process alone. */
export async function memoryServices(log: CacheLog): Promise<CacheServices> {
  const bus = eventBus(localTransport, log)
  const cache = await memoryCache(bus)
  return {
    bus,
    cache,
    limiter: rateLimiter(memoryLimiter),
    status: () => ({ adapter: 'memory', ok: true }),
    async close() {
      await cache.close()
      await bus.close()
    },
  }
}
