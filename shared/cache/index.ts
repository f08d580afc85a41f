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
