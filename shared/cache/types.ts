/** Values are JSON: what goes in comes out as a fresh copy, on every adapter. `undefined` means "not there" and can't be stored. */
export interface Cache {
  /** The live value, or undefined; also undefined when the store can't be reached. */
  get<T>(key: string): Promise<T | undefined>
  /** Keeps the value for `ttl_ms`; quietly does nothing when the store can't be reached. */
  set(key: string, value: unknown, options: CacheOptions): Promise<void>
  /** The live value, or what `load` returns: one load per key and process at a time, its error goes to every waiter and is not kept. */
  getOrSet<T>(key: string, options: CacheOptions, load: () => Promise<T>): Promise<T>
  /** Forgets the value here and, as fast as the bus delivers, in every other process. */
  delete(key: string): Promise<void>
}

export interface CacheOptions {
  ttl_ms: number
}

/** So many points per window, counted per key in fixed windows that start with the first call. */
export interface Limit {
  points: number
  /** Whole seconds: a multiple of 1,000. */
  window_ms: number
}

export interface LimitResult {
  allowed: boolean
  /** Points left in this window, never negative. */
  remaining: number
  /** 0 when allowed; otherwise when the window ends. */
  retry_after_ms: number
}

/** Guards capacity, decides nothing that must be exact: with its store gone it counts per process. It never rejects. */
export interface RateLimiter {
  /** Takes `points` (default 1) from the key's window of `limit` (default 600 per minute). A refused call takes nothing more. */
  consume(key: string, points?: number, limit?: Limit): Promise<LimitResult>
}

/** Wake-ups between processes: JSON messages of at most 7,000 bytes, delivered at most once and only to who listens now. */
export interface EventBus {
  /** Reaches the subscribers in this process too. Without a connection only those; it does not reject for that. */
  publish(channel: string, message: unknown): Promise<void>
  /** Resolves once messages arrive; the returned function ends it. An error in the handler is logged. */
  subscribe(channel: string, handler: (message: unknown) => void | Promise<void>): Promise<() => Promise<void>>
}

/** What the adapters need of a logger; pino's fits. */
export interface CacheLog {
  warn(fields: Record<string, unknown>, message: string): void
}

/** All three over one set of connections. */
export interface CacheServices {
  readonly cache: Cache
  readonly limiter: RateLimiter
  readonly bus: EventBus
  /** For health: the adapter in use and whether its store answers now. */
  status(): { adapter: 'memory' | 'postgres' | 'redis'; ok: boolean }
  close(): Promise<void>
}
