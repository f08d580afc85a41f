import { randomUUID } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import { singleFlightCache } from './single-flight.ts'
import type { Cache, EventBus } from './types.ts'

/** Together, counted as UTF-16 code units; the least recently used go first. */
const MAX_TOTAL = 16 * 1024 * 1024
/** One value: more is not kept, it would push out everything else. */
const MAX_ENTRY = 1024 * 1024

const CHANNEL = 'cache.changed'

/**
 * A cache in this process. `set` and `delete` tell the other processes over the bus, which then forget their copy; a process
 * the bus doesn't reach serves an old value at most until its `ttl_ms`.
 */
export async function memoryCache(bus: EventBus): Promise<Cache & { close(): Promise<void> }> {
  const origin = randomUUID()
  const texts = new LRUCache<string, string>({
    maxSize: MAX_TOTAL,
    maxEntrySize: MAX_ENTRY,
    sizeCalculation: (text, key) => text.length + key.length,
  })
  const tell = (key: string) => bus.publish(CHANNEL, { key, origin })
  const cache = singleFlightCache({
    get: async (key) => texts.get(key),
    async set(key, text, ttl_ms) {
      texts.set(key, text, { ttl: ttl_ms })
    },
    async delete(key) {
      texts.delete(key)
    },
  })
  const unsubscribe = await bus.subscribe(CHANNEL, (message) => {
    const { key, origin: from } = message as { key: string; origin: string }
    if (from === origin) return
    cache.overtake(key)
    texts.delete(key)
  })
  return {
    get: cache.get,
    getOrSet: cache.getOrSet,
    async set(key, value, options) {
      await cache.set(key, value, options)
      await tell(key)
    },
    async delete(key) {
      await cache.delete(key)
      await tell(key)
    },
    close: unsubscribe,
  }
}
