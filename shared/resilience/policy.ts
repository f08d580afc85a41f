import {
  BulkheadRejectedError,
  bulkhead,
  ExponentialBackoff,
  handleWhen,
  retry,
  TaskCancelledError,
  TimeoutStrategy,
  timeout,
} from 'cockatiel'
import { errors, isStoryPortalError } from '../errors/index.ts'
import { Circuit, type CircuitName, CircuitOpen } from './circuit.ts'
import { resilienceErrors } from './errors.ts'
import type { PolicySettings } from './settings.ts'

export interface ExecuteOptions {
  /** The caller's own cancellation: ends waiting and attempts, and counts as nobody's failure. */
  signal?: AbortSignal
  /** Less than the dependency's own limit, for example what is left of a deadline. */
  timeout_ms?: number
  /** True when doing it twice does no harm; only then it is tried again. */
  repeatable?: boolean
}

/** What health and metrics show of one dependency. */
export interface DependencyState {
  name: string
  circuit: CircuitName
  /** When it last opened, ISO; null when it never did. */
  opened_at: string | null
  running: number
  waiting: number
  /** Since the process started. */
  calls: number
  failures: number
}

export interface DependencyPolicy {
  /** Runs `fn` under timeout, bulkhead, breaker and (where allowed) retry; failures of these come out as coded errors. */
  execute<T>(fn: (signal: AbortSignal) => Promise<T>, options?: ExecuteOptions): Promise<T>
  state(): DependencyState
}

/**
 * A refusal (bad input, conflict, not found, denied) shows that the dependency works. Everything else, from it or on the way
 * to it, is a failure.
 */
function isFailure(error: unknown): boolean {
  const ours = [BulkheadRejectedError, CircuitOpen, TaskCancelledError]
  if (ours.some((kind) => error instanceof kind)) return false
  return !isStoryPortalError(error) || error.code === 'UNAVAILABLE' || error.code === 'INTERNAL'
}

/** Outside in: retry, breaker, bulkhead, timeout. A retry takes a new place; a refused place says nothing about the dependency. */
export function dependencyPolicy(name: string, settings: PolicySettings): DependencyPolicy {
  const places = bulkhead(settings.concurrency, settings.queue)
  const circuit = new Circuit({ ...settings, isFailure })
  const retrying = retry(
    handleWhen((error) => isFailure(error) && !(isStoryPortalError(error) && error.code === 'INTERNAL')),
    {
      maxAttempts: settings.attempts - 1,
      backoff: new ExponentialBackoff({ initialDelay: settings.backoff_ms, maxDelay: 2_000 }),
    },
  )
  const once = <T>(fn: () => Promise<T>, signal?: AbortSignal) => circuit.execute(() => places.execute(fn, signal))
  const counts = { calls: 0, failures: 0 }

  function translate(error: unknown): unknown {
    if (error instanceof CircuitOpen) {
      return resilienceErrors.circuitOpen({ name }, { retry_after_ms: settings.open_ms, cause: error })
    }
    if (error instanceof BulkheadRejectedError) {
      const load = { running: settings.concurrency, waiting: settings.queue }
      return resilienceErrors.overloaded({ name, ...load }, { retry_after_ms: 100, cause: error })
    }
    // Timeouts are translated where they happen: this one left while it waited for a place.
    if (error instanceof TaskCancelledError) return errors.cancelled({}, { cause: error })
    return error
  }

  return {
    async execute(fn, { signal, timeout_ms, repeatable = false } = {}) {
      const limit_ms = Math.max(1, Math.min(timeout_ms ?? settings.timeout_ms, settings.timeout_ms))
      const limit = timeout(limit_ms, TimeoutStrategy.Aggressive)
      counts.calls += 1
      try {
        const attempt = async () => {
          try {
            signal?.throwIfAborted()
            return await limit.execute(({ signal: inner }) => fn(inner), signal)
          } catch (error) {
            // The caller left: whatever that made of the call says nothing about the dependency.
            if (signal?.aborted) throw errors.cancelled({}, { cause: error })
            throw error instanceof TaskCancelledError
              ? errors.timedOut({ what: name, ms: limit_ms }, { cause: error })
              : error
          }
        }
        const again = repeatable && settings.attempts > 1
        return await (again ? retrying.execute(() => once(attempt, signal), signal) : once(attempt, signal))
      } catch (error) {
        if (isFailure(error)) counts.failures += 1
        throw translate(error)
      }
    },
    state: () => ({
      name,
      circuit: circuit.state,
      opened_at: circuit.opened_at,
      running: settings.concurrency - places.executionSlots,
      waiting: settings.queue - places.queueSlots,
      calls: counts.calls,
      failures: counts.failures,
    }),
  }
}
