import type { Cache, CacheOptions } from './types.ts'

/** Where texts are kept; the two caches differ only in this. None of these rejects. */
export interface TextStore {
  get(key: string): Promise<string | undefined>
  set(key: string, text: string, ttl_ms: number): Promise<void>
  delete(key: string): Promise<void>
}

interface Flight {
  result: Promise<unknown>
  /** Set when the key was changed while the load ran: what it read may be older, so it is handed out but not kept. */
  overtaken: boolean
}

/** A cache over a store of texts: JSON both ways, so that nobody holds an object others see, and one load per key at a time. */
export function singleFlightCache(store: TextStore): Cache & { overtake(key: string): void } {
  const flights = new Map<string, Flight>()

  function overtake(key: string): void {
    const flight = flights.get(key)
    if (!flight) return
    flight.overtaken = true
    flights.delete(key)
  }

  async function get<T>(key: string): Promise<T | undefined> {
    const text = await store.get(key)
    if (text === undefined) return undefined
    try {
      return JSON.parse(text) as T
    } catch {
      // Somebody else wrote into the store: a miss, and the next load replaces it.
      return undefined
    }
  }

  async function load<T>(key: string, flight: Flight, options: CacheOptions, load: () => Promise<T>): Promise<T> {
    try {
      const found = await get<T>(key)
      if (found !== undefined) return found
      const value = await load()
      if (value !== undefined && !flight.overtaken) await store.set(key, JSON.stringify(value), options.ttl_ms)
      return value
    } finally {
      if (flights.get(key) === flight) flights.delete(key)
    }
  }

  return {
    get,
    overtake,
    async set(key, value, options) {
      overtake(key)
      await store.set(key, JSON.stringify(value), options.ttl_ms)
    },
    async getOrSet<T>(key: string, options: CacheOptions, loader: () => Promise<T>): Promise<T> {
      let flight = flights.get(key)
      if (!flight) {
        flight = { result: Promise.resolve(), overtaken: false }
        flights.set(key, flight)
        flight.result = load(key, flight, options, loader)
        return (await flight.result) as T
      }
      // A copy: who waits along must not share an object with who started it.
      const value = await flight.result
      return (value === undefined ? value : JSON.parse(JSON.stringify(value))) as T
    },
    async delete(key) {
      overtake(key)
      await store.delete(key)
    },
  }
}
