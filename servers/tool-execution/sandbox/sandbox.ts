import { isStoryPortalError } from '@story-portal/shared/errors'
import { faults } from '../errors.ts'
import { Children, type SandboxLog } from './children.ts'
import { DEFAULT_LIMITS, type Limits, MAX_DEPTH } from './limits.ts'
import { processUsage } from './process-usage.ts'
import { type HostCall, type Repeatable, Run, type RunResult } from './run.ts'
import { Slots } from './slots.ts'

export type { SandboxLog } from './children.ts'
export type { Limits } from './limits.ts'
export { DEFAULT_LIMITS, MAX_DEPTH } from './limits.ts'
export type { HostCall, LogLine, Repeatable, RunResult, Usage } from './run.ts'

export interface SandboxOptions {
  /** Runs at a time at depth 0, and processes kept warm. */
  workers: number
  /** What a run gets when it asks for nothing else. */
  limits?: Partial<Limits>
  queueLength?: number
  /** Longest wait for a free process, before the run's own time begins. */
  waitMs?: number
  recycleAfter?: number
  log: SandboxLog
}

export interface RunRequest {
  /** The body of an async function with `input` and `tools` in scope. */
  code: string
  language?: 'javascript' | 'typescript'
  /** Any JSON value. */
  input?: unknown
  limits?: Partial<Limits>
  repeatable?: Repeatable | undefined
  /** 0 outside; a run that the code of another run asked for has one more. */
  depth?: number
  /** Groups take turns when runs have to wait: the tenant. */
  group?: string
  /** Answers `tools.<server>.<tool>(args)`; without it every call is denied. What it throws reaches the code as its error. */
  onCall?: (call: HostCall) => Promise<unknown>
  signal?: AbortSignal
}

export type CheckRequest = Pick<RunRequest, 'code' | 'limits' | 'group' | 'signal'> & {
  language?: RunRequest['language'] | undefined
}

export interface SandboxStats {
  active: number
  queued: number
  /** Process ids of all sandbox processes, warm ones included. */
  pids: number[]
  /** Those that run something now. */
  busy_pids: number[]
}

/** Runs untrusted code in killable processes, one fresh isolate per run. */
export interface Sandbox {
  /** How the run ended (E3023 when `close` came in between); rejects only when it could not begin (busy, closed, cancelled, too deep, no process). */
  run(request: RunRequest): Promise<RunResult>
  /** Parses the code without running it: `ok`, or the error with line and column. */
  check(request: CheckRequest): Promise<RunResult>
  stats(): SandboxStats
  close(): Promise<void>
}

const MAX_HEAD_BYTES = 65_536
const KILLED = faults.workerKilled().number

export function createSandbox(options: SandboxOptions): Sandbox {
  const defaults: Limits = { ...DEFAULT_LIMITS, ...options.limits }
  const nested = Math.max(1, Math.ceil(options.workers / 2))
  const slots = new Slots({
    perDepth: [options.workers, ...Array<number>(MAX_DEPTH - 1).fill(nested)],
    queueLength: options.queueLength ?? 256,
    waitMs: options.waitMs,
  })
  // A run may wait for a check that a tool makes for it, so checks take no place of a run.
  const checks = new Slots({ perDepth: [nested], queueLength: options.queueLength ?? 256 })
  const children = new Children({
    warm: options.workers,
    recycleAfter: options.recycleAfter ?? 200,
    caps: { head: MAX_HEAD_BYTES, body: 64 * 1_048_576 },
    log: options.log,
  })
  let closed = false

  async function start(request: RunRequest, check: boolean): Promise<RunResult> {
    if (closed) throw faults.closed()
    const release = await (check ? checks : slots).take(request.depth ?? 0, request.group ?? '', request.signal)
    try {
      return await runIn(await children.take(), request, check)
    } finally {
      release()
    }
  }

  async function runIn(child: Awaited<ReturnType<Children['take']>>, request: RunRequest, check: boolean) {
    const job = {
      code: request.code,
      language: request.language ?? 'javascript',
      check,
      input: JSON.stringify(request.input ?? null),
      limits: { ...defaults, ...request.limits },
      onCall: request.onCall ?? deny,
      ...(request.repeatable ? { repeatable: request.repeatable } : {}),
      ...(request.signal ? { signal: request.signal } : {}),
    }
    const run = new Run(child, job, await processUsage(child.pid))
    const result = await run.result()
    children.giveBack(child, run.healthy)
    logCrash(options.log, result)
    // Killed by our own close, not by a stranger.
    return closed && !result.ok && result.error.number === KILLED ? { ...result, error: faults.closed() } : result
  }

  return {
    run: (request) => start(request, false),
    check: ({ language = 'javascript', ...request }) => start({ ...request, language }, true),
    stats: () => ({
      active: slots.active + checks.active,
      queued: slots.queued + checks.queued,
      pids: children.pids,
      busy_pids: children.busyPids,
    }),
    async close() {
      closed = true
      slots.close(faults.closed())
      checks.close(faults.closed())
      await children.close()
    },
  }
}

async function deny(call: HostCall): Promise<never> {
  throw faults.capabilityDenied({ call: call.name, permission: call.name })
}

/** What the engine printed before it died is for the operator; the caller gets the coded error. */
function logCrash(log: SandboxLog, result: RunResult): void {
  if (result.ok || !isStoryPortalError(result.error) || typeof result.error.cause !== 'string') return
  log.warn({ number: result.error.number, stderr: result.error.cause }, 'code brought its sandbox process down')
}
