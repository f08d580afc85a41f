import { createHash } from 'node:crypto'

/**
 * Every key and channel of ours in Redis, and how long each lives. The part in braces is the cluster's hash tag: whatever
 * one command touches together carries the same one.
 *
 * | Name                        | Holds                         | Lives                     |
 * |-----------------------------|-------------------------------|---------------------------|
 * | `sp:cache:{key}`            | a cached value as JSON        | the `ttl_ms` it came with |
 * | `sp:limit:<rule>:{key}`     | points taken in this window   | the rest of the window    |
 * | `sp:<database>:bus:<name>`  | channel, nothing is stored    | -                         |
 */
export function redisKeys(namespace = 'sp') {
  return {
    cache: (key: string) => `${namespace}:cache:{${boundedKey(key)}}`,
    /** rate-limiter-flexible adds a colon and the key, which `limitKey` has put in braces. */
    limit: (points: number, window_ms: number) => `${namespace}:limit:${points}-${window_ms}`,
    limitKey: (key: string) => `{${boundedKey(key)}}`,
    /** Channels belong to the whole server, not to the database of the connection: two platforms on one server must not meet. */
    bus: (database: number, channel: string) => `${namespace}:${database}:bus:${channel}`,
  }
}

export type RedisKeys = ReturnType<typeof redisKeys>

/** Keys hold ids and names of unknown length; the store's memory shouldn't depend on that. */
export function boundedKey(key: string): string {
  return key.length <= 120 ? key : `sha256-${createHash('sha256').update(key).digest('base64url')}`
}
