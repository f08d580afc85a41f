import type { Limits } from './limits.ts'
import type { Repeatable } from './run.ts'

/** What the isolate may be refused inside the sandbox process; the parent enforces the others. */
export type IsolateLimit =
  | 'wall_ms'
  | 'heap_mb'
  | 'result_bytes'
  | 'log_bytes'
  | 'host_calls'
  | 'concurrent_host_calls'
  | 'host_bytes'

/** Parent to sandbox process. The body of `run` is the code, then the input as JSON; of `answer` the answer or error as JSON. */
export type ToWorker =
  | {
      t: 'run'
      language: 'javascript' | 'typescript'
      check: boolean
      code_length: number
      limits: Limits
      repeatable?: Repeatable | undefined
    }
  | { t: 'answer'; index: number; ok: boolean; at?: number | undefined }

export interface ThrownError {
  name: string
  message: string
  stack: string
  /** The host call whose error came through uncaught, so that its own error is reported; -1 when the code threw by itself. */
  call: number
}

export type Outcome =
  | { end: 'result' }
  | { end: 'threw'; error: ThrownError }
  | { end: 'syntax'; message: string; line: number; column: number }
  | { end: 'not_json'; message: string }
  | { end: 'limit'; limit: IsolateLimit }

export interface IsolateUsage {
  cpu_ms: number
  memory_bytes: number
}

/** Sandbox process to parent. The body of `log` is the line, of `call` the arguments as JSON, of `done` the result as JSON. */
export type FromWorker =
  | { t: 'ready' }
  | { t: 'log'; level: string }
  | { t: 'call'; index: number; name: string }
  | { t: 'done'; outcome: Outcome; usage: IsolateUsage }

/** How a sandbox process ends itself when a run has more memory than it may. */
export const OVER_MEMORY = 'SIGUSR2'
