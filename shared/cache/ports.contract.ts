import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { CacheServices } from './types.ts'

/** What every adapter must do. `open` makes the services of two processes; a single-process adapter gives the same twice. */
export function portsContract(name: string, open: () => Promise<[CacheServices, CacheServices]>): void {
  describe(name, () => {
    let a: CacheServices
    let b: CacheServices
    const key = () => `test:${randomUUID()}`

    beforeAll(async () => {
      ;[a, b] = await open()
    })
    afterAll(async () => {
      await a.close()
      await b.close()
    })

    test('a value comes back as a copy, and is gone after delete', async () => {
      const k = key()
      const value = { list: [1, 'two', null], text: '\u00e4\u2028"' }
      await a.cache.set(k, value, { ttl_ms: 60_000 })
      const got = await a.cache.get<typeof value>(k)
      expect(got).toEqual(value)
      got?.list.push(4)
      expect(await a.cache.get(k)).toEqual(value)
      await a.cache.delete(k)
      expect(await a.cache.get(k)).toBeUndefined()
    })

    test('a value ends with its time to live', async () => {
      const k = key()
      await a.cache.set(k, 1, { ttl_ms: 50 })
      await expect.poll(() => a.cache.get(k), { timeout: 10_000 }).toBeUndefined()
    })

    test('100 waiting callers cost one load, and get copies', async () => {
      const k = key()
      let loads = 0
      const load = async () => {
        loads += 1
        await new Promise((resolve) => setTimeout(resolve, 20))
        return { n: 1 }
      }
      const all = await Promise.all(Array.from({ length: 100 }, () => a.cache.getOrSet(k, { ttl_ms: 60_000 }, load)))
      expect(loads).toBe(1)
      expect(new Set(all).size).toBe(100)
      expect(all[99]).toEqual({ n: 1 })
    })

    test('a failed load reaches every waiter and is not kept', async () => {
      const k = key()
      const failing = () => Promise.reject(new Error('no luck'))
      const results = await Promise.allSettled([
        a.cache.getOrSet(k, { ttl_ms: 60_000 }, failing),
        a.cache.getOrSet(k, { ttl_ms: 60_000 }, failing),
      ])
      expect(results.map((result) => result.status)).toEqual(['rejected', 'rejected'])
      expect(await a.cache.getOrSet(k, { ttl_ms: 60_000 }, async () => 'second try')).toBe('second try')
    })

    test('what was loaded before a delete is handed out but not kept', async () => {
      const k = key()
      let finish: (value: string) => void = () => {}
      const old = a.cache.getOrSet(k, { ttl_ms: 60_000 }, () => new Promise<string>((resolve) => (finish = resolve)))
      await expect.poll(() => finish.length).toBe(1)
      await a.cache.delete(k)
      finish('old')
      expect(await old).toBe('old')
      expect(await a.cache.getOrSet(k, { ttl_ms: 60_000 }, async () => 'new')).toBe('new')
    })

    test('a change in one process is seen in the other', async () => {
      const k = key()
      await a.cache.set(k, 'first', { ttl_ms: 60_000 })
      await b.cache.getOrSet(k, { ttl_ms: 60_000 }, async () => 'first')
      await a.cache.set(k, 'second', { ttl_ms: 60_000 })
      await expect.poll(() => b.cache.getOrSet(k, { ttl_ms: 60_000 }, async () => 'second')).toBe('second')
      await a.cache.delete(k)
      await expect.poll(() => b.cache.get(k)).toBeUndefined()
    })

    test('the limit counts over both processes, and says when it opens again', async () => {
      const k = key()
      const limit = { points: 10, window_ms: 60_000 }
      const calls = Array.from({ length: 30 }, (_, i) => (i % 2 ? a : b).limiter.consume(k, 1, limit))
      const results = await Promise.all(calls)
      expect(results.filter((result) => result.allowed)).toHaveLength(10)
      const refused = await a.limiter.consume(k, 1, limit)
      expect(refused).toMatchObject({ allowed: false, remaining: 0 })
      expect(refused.retry_after_ms).toBeGreaterThan(0)
      expect(refused.retry_after_ms).toBeLessThanOrEqual(60_000)
    })

    test('a window ends, keys and rules are counted apart, and a call may take several points', async () => {
      const k = key()
      const short = { points: 2, window_ms: 1_000 }
      expect(await a.limiter.consume(k, 2, short)).toEqual({ allowed: true, remaining: 0, retry_after_ms: 0 })
      expect((await a.limiter.consume(key(), 1, short)).allowed).toBe(true)
      expect((await a.limiter.consume(k, 1, { points: 5, window_ms: 1_000 })).remaining).toBe(4)
      await expect
        .poll(async () => (await a.limiter.consume(k, 1, short)).allowed, { timeout: 10_000, interval: 300 })
        .toBe(true)
    })

    test('a limit that no window could keep is refused', async () => {
      await expect(a.limiter.consume(key(), 1, { points: 1, window_ms: 1_500 })).rejects.toMatchObject({
        number: 'E0803',
      })
    })

    test('a message reaches the handlers of both processes once, until they leave', async () => {
      const channel = `test.${randomUUID().slice(0, 8)}`
      const heard: string[] = []
      const leave = await a.bus.subscribe(channel, (message) => void heard.push(`a ${JSON.stringify(message)}`))
      await a.bus.subscribe(channel, () => Promise.reject(new Error('a handler that fails disturbs nobody')))
      await b.bus.subscribe(channel, (message) => void heard.push(`b ${JSON.stringify(message)}`))
      await a.bus.publish(channel, { n: 1 })
      await expect.poll(() => heard.toSorted()).toEqual(['a {"n":1}', 'b {"n":1}'])
      await leave()
      await b.bus.publish(channel, { n: 2 })
      await expect.poll(() => heard.includes('b {"n":2}')).toBe(true)
      expect(heard.filter((line) => line.includes('2'))).toEqual(['b {"n":2}'])
    })

    test('a message that is too large and a bad channel name are refused', async () => {
      await expect(a.bus.publish('x', 'y'.repeat(7_000))).rejects.toMatchObject({ number: 'E0801' })
      await expect(a.bus.publish('no spaces', 1)).rejects.toMatchObject({ number: 'E0802' })
      await expect(a.bus.subscribe('No', () => {})).rejects.toMatchObject({ number: 'E0802' })
    })
  })
}
