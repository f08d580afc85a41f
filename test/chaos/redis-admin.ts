import { Redis } from 'ioredis'
import type { Subject } from './subject.ts'

/** Runs `work` with a connection of its own to the private Redis, around the proxy. */
export async function withRedis<T>({ services }: Subject, work: (redis: Redis) => Promise<T>): Promise<T> {
  const redis = new Redis(services?.redis.url ?? '')
  redis.on('error', () => {})
  try {
    return await work(redis)
  } finally {
    redis.disconnect()
  }
}
