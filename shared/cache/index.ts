export { MAX_MESSAGE_BYTES } from './bus.ts'
export { createCacheServices, memoryServices } from './create.ts'
export { cacheErrors } from './errors.ts'
export { DEFAULT_LIMIT } from './limiter.ts'
export type {
  Cache,
  CacheLog,
  CacheOptions,
  CacheServices,
  EventBus,
  Limit,
  LimitResult,
  RateLimiter,
} from './types.ts'
