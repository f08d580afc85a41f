/** What one run may use. Passing any of them ends the run with that limit's own error; other runs feel nothing. */
export interface Limits {
  /** From the start in the sandbox process to the result, waiting for tools included. */
  wall_ms: number
  /** Of the whole sandbox process, engine threads included. */
  cpu_ms: number
  /** V8 heap and the array buffers V8 accounts for. */
  heap_mb: number
  /** Resident memory of the sandbox process; catches what the heap limit does not count. */
  rss_mb: number
  result_bytes: number
  log_bytes: number
  host_calls: number
  concurrent_host_calls: number
  /** Arguments and answers of all host calls together. */
  host_bytes: number
}

export type LimitName = keyof Limits

export const DEFAULT_LIMITS: Limits = {
  wall_ms: 30_000,
  cpu_ms: 30_000,
  heap_mb: 128,
  rss_mb: 400,
  result_bytes: 1_048_576,
  log_bytes: 65_536,
  host_calls: 1_000,
  concurrent_host_calls: 64,
  host_bytes: 8_388_608,
}

/** How long a sandbox process may take to end a run by itself before its parent kills it. */
export const GRACE_MS = 250

/** Nesting of runs that call tools that run code; each level has sandbox processes of its own, so none waits for its own caller. */
export const MAX_DEPTH = 4
