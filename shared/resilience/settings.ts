/** How calls to one kind of dependency are protected. */
export interface PolicySettings {
  /** Calls at a time, and how many may wait for a place. */
  concurrency: number
  queue: number
  /** One attempt; a call may ask for less. */
  timeout_ms: number
  /** In all, for calls that may be repeated; waiting from `backoff_ms`, doubling up to 2 s, with jitter. */
  attempts: number
  backoff_ms: number
  /** Failures in a row that open the circuit, and how long it stays open the first time (doubling up to `max_open_ms`). */
  failures: number
  open_ms: number
  max_open_ms: number
}

const DEFAULTS: PolicySettings = {
  concurrency: 64,
  queue: 256,
  timeout_ms: 30_000,
  attempts: 3,
  backoff_ms: 50,
  failures: 5,
  open_ms: 500,
  // What is well again is to be in use within five seconds, and asking costs little.
  max_open_ms: 4_000,
}

/** By the part of the name before the colon. Database and Redis have few places: their own pools and timeouts come first. */
const BY_KIND: Record<string, Partial<PolicySettings>> = {
  database: { attempts: 1, queue: 1_024 },
  redis: { attempts: 1, timeout_ms: 2_000, queue: 1_024 },
  server: {},
  model: { concurrency: 8, timeout_ms: 300_000, attempts: 2 },
}

/** `server:planning` -> the settings for servers, with what the process overrides. */
export function settingsFor(name: string, overrides: Record<string, Partial<PolicySettings>> = {}): PolicySettings {
  const [kind = ''] = name.split(':')
  return { ...DEFAULTS, ...BY_KIND[kind], ...overrides[kind], ...overrides[name] }
}
