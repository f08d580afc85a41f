import { Redis } from 'ioredis'
import { RateLimiterRedis } from 'rate-limiter-flexible'
import { eventBus, type Transport } from './bus.ts'
import { type RedisKeys, redisKeys } from './keys.ts'
import { memoryLimiter, rateLimiter } from './limiter.ts'
import { singleFlightCache } from './single-flight.ts'
import type { Cache, CacheLog, CacheServices } from './types.ts'

export interface RedisSettings {
  url: string
  /** A Redis that is stopped rather than gone never answers: without this every call would wait for it. */
  commandTimeoutMs: number
  /** Before every key and channel, default `sp`. */
  namespace?: string
}

/** All three ports over one Redis: one connection for commands, one for what the bus delivers. */
export async function redisServices(settings: RedisSettings, log: CacheLog): Promise<CacheServices> {
  const keys = redisKeys(settings.namespace)
  const commands = connect(settings, log, { commandTimeout: settings.commandTimeoutMs, enableOfflineQueue: false })
  // Subscriptions wait in its queue while Redis is away, and ioredis renews them after every reconnect.
  const deliveries = connect(settings, log, { maxRetriesPerRequest: null })
  // A platform that starts while Redis is down starts all the same; the connections keep trying.
  await Promise.all([firstAttempt(commands), firstAttempt(deliveries)])
  const bus = eventBus(redisTransport(commands, deliveries, keys, settings.commandTimeoutMs), log)
  return {
    bus,
    cache: redisCache(commands, keys),
    limiter: redisLimiter(commands, keys),
    status: () => ({ adapter: 'redis', ok: commands.status === 'ready' }),
    async close() {
      await bus.close()
      commands.disconnect()
      deliveries.disconnect()
    },
  }
}

function connect(settings: RedisSettings, log: CacheLog, options: object): Redis {
  const client = new Redis(settings.url, {
    lazyConnect: true,
    connectTimeout: 2_000,
    maxRetriesPerRequest: 0,
    // A command whose connection broke may have run: sent again it would count twice.
    autoResendUnfulfilledCommands: false,
    retryStrategy: (times) => Math.min(50 * 2 ** Math.min(times, 6), 2_000),
    ...options,
  })
  let told = false
  client.on('error', (error: Error) => {
    // One line per outage, not one per attempt.
    if (!told) log.warn({ err: error }, 'Redis is not reachable; working without it')
    told = true
  })
  client.on('ready', () => {
    if (told) log.warn({}, 'Redis is back')
    told = false
  })
  return client
}

/** Resolves when the first attempt has succeeded or failed. */
async function firstAttempt(client: Redis): Promise<void> {
  await client.connect().catch(() => {})
}

function redisCache(client: Redis, keys: RedisKeys): Cache {
  // Copies may be lost at any time: whatever Redis does, the caller sees a miss and not an error.
  const lost = () => undefined
  return singleFlightCache({
    get: async (key) => (await client.get(keys.cache(key)).catch(lost)) ?? undefined,
    async set(key, text, ttl_ms) {
      await client.set(keys.cache(key), text, 'PX', Math.max(1, Math.ceil(ttl_ms))).catch(lost)
    },
    async delete(key) {
      await client.del(keys.cache(key)).catch(lost)
    },
  })
}

function redisLimiter(client: Redis, keys: RedisKeys) {
  return rateLimiter(
    (limit) =>
      new RateLimiterRedis({
        storeClient: client,
        keyPrefix: keys.limit(limit.points, limit.window_ms),
        points: limit.points,
        duration: limit.window_ms / 1_000,
        rejectIfRedisNotReady: true,
        insuranceLimiter: memoryLimiter(limit),
      }),
    keys.limitKey,
  )
}

function redisTransport(commands: Redis, deliveries: Redis, keys: RedisKeys, patience_ms: number): Transport {
  const receivers = new Map<string, (text: string) => void>()
  const name = (channel: string) => keys.bus(commands.options.db ?? 0, channel)
  deliveries.on('message', (channel: string, text: string) => receivers.get(channel)?.(text))
  return {
    send: (channel, text) =>
      commands.publish(name(channel), text).then(
        () => deliveries.status === 'ready',
        () => false,
      ),
    async open(channel, receive) {
      receivers.set(name(channel), receive)
      const subscribed = deliveries.subscribe(name(channel)).catch(() => {})
      // With Redis away this waits in the queue; the caller doesn't.
      await within(patience_ms, subscribed)
      return async () => {
        receivers.delete(name(channel))
        if (deliveries.status === 'ready') await deliveries.unsubscribe(name(channel)).catch(() => {})
      }
    },
  }
}

async function within(limit_ms: number, work: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  await Promise.race([
    work,
    new Promise((resolve) => {
      timer = setTimeout(resolve, limit_ms)
    }),
  ])
  clearTimeout(timer)
}
