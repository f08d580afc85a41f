import { sql } from 'kysely'
import { RateLimiterRes } from 'rate-limiter-flexible'
import { type Db, notify } from '../db/index.ts'
import { eventBus, type Transport } from './bus.ts'
import { boundedKey } from './keys.ts'
import { type LimiterFactory, memoryLimiter, rateLimiter } from './limiter.ts'
import { memoryCache } from './memory-cache.ts'
import type { CacheLog, CacheServices, Limit } from './types.ts'

/** Rows of windows that ended are removed by every so many calls of one process. */
const SWEEP_EVERY = 500

/** The ports for several processes without Redis: caches in memory that tell each other, counts in a table, NOTIFY as bus. */
export async function postgresServices(db: Db, log: CacheLog): Promise<CacheServices> {
  const bus = eventBus(notifyTransport(db, log), log)
  const cache = await memoryCache(bus)
  let ok = true
  const limiter = rateLimiter(tableLimiter(db, log, (now) => (ok = now)))
  return {
    bus,
    cache,
    limiter,
    status: () => ({ adapter: 'postgres', ok }),
    async close() {
      await cache.close()
      await bus.close()
    },
  }
}

function tableLimiter(db: Db, log: CacheLog, state: (ok: boolean) => void): LimiterFactory {
  let calls = 0
  return (limit) => {
    const insurance = memoryLimiter(limit)
    return {
      async consume(key, points = 1) {
        calls += 1
        const taken = await take(db, String(key), points, limit, calls % SWEEP_EVERY === 0).then(
          (row) => {
            state(true)
            return row
          },
          (error) => {
            log.warn({ err: error }, 'the rate limit could not be counted in the database; counting in this process')
            state(false)
            return undefined
          },
        )
        if (!taken) return insurance.consume(key, points)
        const result = new RateLimiterRes(Math.max(0, limit.points - taken.points), taken.left_ms, taken.points, false)
        if (taken.points > limit.points) throw result
        return result
      },
    }
  }
}

/** One statement counts: concurrent calls of all processes queue at the row. */
async function take(db: Db, key: string, points: number, limit: Limit, sweep: boolean) {
  const row = `${limit.points}-${limit.window_ms}:${boundedKey(key)}`
  return db.tx({ kind: 'system', name: 'cache.limiter' }, async (tx) => {
    if (sweep) await sql`delete from core.rate_limits where expires_at < core.now() - interval '1 minute'`.execute(tx)
    const { rows } = await sql<{ points: number; left_ms: number }>`
      insert into core.rate_limits as l (key, points, expires_at)
      values (${row}, ${points}::int, core.now() + ${limit.window_ms}::int * interval '1 millisecond')
      on conflict (key) do update set
        points = case when l.expires_at <= core.now() then excluded.points else l.points + excluded.points end,
        expires_at = case when l.expires_at <= core.now() then excluded.expires_at else l.expires_at end
      returning points, ceil(extract(epoch from expires_at - core.now()) * 1000)::int as left_ms`.execute(tx)
    return rows[0]
  })
}

function notifyTransport(db: Db, log: CacheLog): Transport {
  return {
    async send(channel, text) {
      try {
        await db.tx({ kind: 'system', name: 'cache.bus' }, (tx) => notify(tx, pgChannel(channel), text))
        return true
      } catch (error) {
        log.warn({ channel, err: error }, 'a message could not be sent to the other processes')
        return false
      }
    },
    open: (channel, receive) => db.listen(pgChannel(channel), receive),
  }
}

/** At most 63 bytes, the length of an identifier; bus channels have at most 50. */
function pgChannel(channel: string): string {
  return `bus:${channel}`
}
