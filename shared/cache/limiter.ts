import { type RateLimiterAbstract, RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible'
import { cacheErrors } from './errors.ts'
import type { Limit, RateLimiter } from './types.ts'

/** What `consume` uses without a limit of its own. */
export const DEFAULT_LIMIT: Limit = { points: 600, window_ms: 60_000 }

/** Makes the library's limiter for one rule: it fixes points and window at construction, our callers give them per call. */
export type LimiterFactory = (limit: Limit) => Pick<RateLimiterAbstract, 'consume'>

/** The port over rate-limiter-flexible: one of its limiters per rule, kept. */
export function rateLimiter(make: LimiterFactory, toKey: (key: string) => string = (key) => key): RateLimiter {
  const rules = new Map<string, ReturnType<LimiterFactory>>()

  function rule(limit: Limit): ReturnType<LimiterFactory> {
    const name = `${limit.points}-${limit.window_ms}`
    const known = rules.get(name)
    if (known) return known
    checkLimit(limit)
    const made = make(limit)
    rules.set(name, made)
    return made
  }

  return {
    async consume(key, points = 1, limit = DEFAULT_LIMIT) {
      try {
        const { remainingPoints } = await rule(limit).consume(toKey(key), points)
        return { allowed: true, remaining: remainingPoints, retry_after_ms: 0 }
      } catch (refusal) {
        if (!(refusal instanceof RateLimiterRes)) throw refusal
        return { allowed: false, remaining: 0, retry_after_ms: Math.max(1, refusal.msBeforeNext) }
      }
    },
  }
}

/** Counts in this process only. */
export const memoryLimiter = (limit: Limit) =>
  new RateLimiterMemory({ points: limit.points, duration: limit.window_ms / 1_000 })

/** Refuses limits that the stores would round in different ways. */
export function checkLimit({ points, window_ms }: Limit): void {
  const whole = Number.isInteger(points) && points >= 1 && window_ms >= 1_000 && window_ms % 1_000 === 0
  if (!whole) throw cacheErrors.badLimit({ points, window_ms })
}
