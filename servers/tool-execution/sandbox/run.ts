import { setTimeout as sleep } from 'node:timers/promises'
import { callErrors } from '@story-portal/shared/engine'
import { errors, type StoryPortalError } from '@story-portal/shared/errors'
import { faults } from '../errors.ts'
import type { Child, ChildExit } from './child.ts'
import { GRACE_MS, type LimitName, type Limits } from './limits.ts'
import { type FromWorker, type IsolateUsage, type Outcome, OVER_MEMORY, type ThrownError } from './messages.ts'
import { type ProcessUsage, processUsage } from './process-usage.ts'

/** A tool that the code called; `answer` decides whether it may. */
export interface HostCall {
  index: number
  /** `<server>.<tool>` as the code wrote it. */
  name: string
  args: unknown
  /** Aborted when the run has ended. */
  signal: AbortSignal
  /** Set by who answers: what the clock of a repeatable run then shows. */
  answered_at?: number | undefined
}

export interface RunJob {
  code: string
  language: 'javascript' | 'typescript'
  /** Parse only. */
  check: boolean
  input: string
  limits: Limits
  repeatable?: Repeatable
  onCall: (call: HostCall) => Promise<unknown>
  signal?: AbortSignal
}

/** Makes the clock and the random numbers of a run the same whenever it is run again. */
export interface Repeatable {
  /** What the clock shows before the first answer, milliseconds since the epoch. */
  clock: number
  /** Four numbers of 32 bits. */
  seed: readonly number[]
}

export interface LogLine {
  level: string
  message: string
}

export interface Usage {
  wall_ms: number
  cpu_ms: number
  memory_bytes: number
}

export type RunResult = { logs: LogLine[]; usage: Usage } & (
  | { ok: true; result: unknown }
  | { ok: false; error: StoryPortalError }
)

const KILLED = faults.workerKilled().number
const WATCH_MS = 25
const PENDING_MS = 2_000

/** One run in one process: starts it, answers its calls, watches its limits, and says how it ended. Never rejects. */
export class Run {
  readonly #child: Child
  readonly #job: RunJob
  readonly #logs: LogLine[] = []
  readonly #started = performance.now()
  readonly #before: ProcessUsage | undefined
  readonly #calls = new AbortController()
  readonly #pending = new Set<Promise<void>>()
  /** Errors given to the code, so that one it did not catch is reported as itself. */
  readonly #callErrors = new Map<number, StoryPortalError>()
  readonly #finished = Promise.withResolvers<RunResult>()
  #last: ProcessUsage | undefined
  #logBytes = 0
  #hostBytes = 0
  #hostCalls = 0
  #over = false

  constructor(child: Child, job: RunJob, before: ProcessUsage | undefined) {
    this.#child = child
    this.#job = job
    this.#before = before
  }

  /** True when the process is as good as new afterwards. */
  healthy = false

  async result(): Promise<RunResult> {
    const { limits, signal } = this.#job
    const wall = setTimeout(() => this.#limit('wall_ms'), limits.wall_ms + GRACE_MS)
    const watch = setInterval(() => void this.#watch(), WATCH_MS)
    const abort = () => this.#fail(errors.cancelled())
    signal?.addEventListener('abort', abort, { once: true })
    this.#child.listener = (message, body) => this.#receive(message, body)
    this.#child.exited.then((exit) => this.#died(exit))
    const { code, input, language, check, repeatable } = this.#job
    this.#child.send({ t: 'run', language, check, code_length: code.length, limits, repeatable }, code + input)
    if (signal?.aborted) abort()
    const result = await this.#finished.promise
    clearTimeout(wall)
    clearInterval(watch)
    signal?.removeEventListener('abort', abort)
    // Calls still open must not act after the run has been reported; one that does not heed the signal is left behind.
    this.#calls.abort(this.#whyCallsEnd(result))
    if (this.#pending.size > 0)
      await Promise.race([Promise.all(this.#pending), sleep(PENDING_MS, undefined, { ref: false })])
    return result
  }

  /** Calls of a run that somebody stopped or killed have no outcome yet; those of a run that ended are over. */
  #whyCallsEnd(result: RunResult): unknown {
    if (this.#job.signal?.aborted) return this.#job.signal.reason
    return !result.ok && result.error.number === KILLED ? callErrors.abandoned() : errors.cancelled()
  }

  #receive(message: FromWorker, body: string): void {
    if (this.#over) return
    if (message.t === 'log') this.#log(message.level, body)
    else if (message.t === 'call') this.#call(message.index, message.name, body)
    else if (message.t === 'done') this.#done(message, body)
  }

  #log(level: string, line: string): void {
    this.#logBytes += Buffer.byteLength(line)
    if (this.#logBytes > this.#job.limits.log_bytes) this.#limit('log_bytes')
    else this.#logs.push({ level, message: clean(line) })
  }

  #call(index: number, name: string, json: string): void {
    const { limits } = this.#job
    this.#hostCalls += 1
    this.#hostBytes += Buffer.byteLength(json)
    if (this.#hostCalls > limits.host_calls) this.#limit('host_calls')
    else if (this.#pending.size >= limits.concurrent_host_calls) this.#limit('concurrent_host_calls')
    else if (this.#hostBytes > limits.host_bytes) this.#limit('host_bytes')
    else this.#track(this.#answer({ index, name, args: JSON.parse(json), signal: this.#calls.signal }))
  }

  #track(answered: Promise<void>): void {
    this.#pending.add(answered)
    answered.finally(() => this.#pending.delete(answered))
  }

  async #answer(call: HostCall): Promise<void> {
    try {
      const value = await this.#job.onCall(call)
      this.#reply(call, true, JSON.stringify(value ?? null))
    } catch (error) {
      const known =
        error instanceof Error && 'number' in error
          ? (error as StoryPortalError)
          : errors.internal({}, { cause: error })
      this.#callErrors.set(call.index, known)
      const { code, number, message, hint, details } = known
      this.#reply(call, false, JSON.stringify({ message, name: code, code, number, hint, details }))
    }
  }

  #reply({ index, answered_at }: HostCall, ok: boolean, json: string): void {
    if (this.#over) return
    this.#hostBytes += Buffer.byteLength(json)
    if (this.#hostBytes > this.#job.limits.host_bytes) this.#limit('host_bytes')
    else this.#child.send({ t: 'answer', index, ok, at: answered_at }, json)
  }

  #done(message: Extract<FromWorker, { t: 'done' }>, body: string): void {
    const { outcome } = message
    if (outcome.end === 'limit') this.#limit(outcome.limit)
    else if (Buffer.byteLength(body) > this.#job.limits.result_bytes) this.#limit('result_bytes')
    else this.#ended(outcome, message.usage, body)
  }

  #ended(outcome: Exclude<Outcome, { end: 'limit' }>, used: IsolateUsage, body: string): void {
    this.healthy = true
    const usage = { ...used, wall_ms: this.#elapsed() }
    if (outcome.end === 'result') this.#finish({ ok: true, result: JSON.parse(body), logs: this.#logs, usage })
    else this.#finish({ ok: false, error: this.#errorOf(outcome), logs: this.#logs, usage })
  }

  #errorOf(outcome: Exclude<Outcome, { end: 'result' | 'limit' }>): StoryPortalError {
    if (outcome.end === 'threw') return this.#callErrors.get(outcome.error.call) ?? thrown(outcome.error)
    const message = clean(outcome.message)
    if (outcome.end === 'not_json') return faults.resultNotJson({ message: whyNotJson(message) })
    const { line, column } = outcome
    return faults.syntax({ message, line, column }, { details: { line, column, message } })
  }

  async #watch(): Promise<void> {
    const usage = await processUsage(this.#child.pid)
    if (!usage || this.#over) return
    this.#last = usage
    const { limits } = this.#job
    if (usage.rss_mb > limits.rss_mb) this.#limit('rss_mb')
    else if (usage.cpu_ms - (this.#before?.cpu_ms ?? 0) > limits.cpu_ms) this.#limit('cpu_ms')
  }

  #limit(limit: LimitName): void {
    this.#fail(LIMIT_ERRORS[limit]({ limit: this.#job.limits[limit] }))
  }

  #died(exit: ChildExit): void {
    // Signals from outside (a person, the kernel's out-of-memory killer) against those of a crash or an abort.
    const outside = exit.signal === 'SIGKILL' || exit.signal === 'SIGTERM' || exit.signal === 'SIGINT'
    if (exit.signal === OVER_MEMORY) this.#limit('rss_mb')
    else this.#fail(outside ? faults.workerKilled() : faults.workerCrashed({}, { cause: exit.stderr }))
  }

  /** Ends the run and its process: after anything but a normal end nothing in it is trusted. */
  #fail(error: StoryPortalError): void {
    if (this.#over) return
    this.#child.kill()
    const cpu = this.#last ? this.#last.cpu_ms - (this.#before?.cpu_ms ?? 0) : 0
    const memory = Math.round((this.#last?.rss_mb ?? 0) * 1_048_576)
    const usage = { wall_ms: this.#elapsed(), cpu_ms: cpu, memory_bytes: memory }
    this.#finish({ ok: false, error, logs: this.#logs, usage })
  }

  #finish(result: RunResult): void {
    if (this.#over) return
    this.#over = true
    this.#child.listener = undefined
    this.#finished.resolve(result)
  }

  #elapsed(): number {
    return Math.round((performance.now() - this.#started) * 100) / 100
  }
}

const LIMIT_ERRORS = {
  wall_ms: faults.wallLimit,
  cpu_ms: faults.cpuLimit,
  heap_mb: faults.heapLimit,
  rss_mb: faults.processMemoryLimit,
  result_bytes: faults.resultLimit,
  log_bytes: faults.logLimit,
  host_calls: faults.hostCallLimit,
  concurrent_host_calls: faults.concurrentCallLimit,
  host_bytes: faults.hostBytesLimit,
} as const

/** What the engine says about values that JSON does not have; the words of a toJSON of the code's own stay. */
function whyNotJson(message: string): string {
  if (/circular structure/.test(message)) return 'it contains itself'
  if (/BigInt/.test(message)) return 'it holds a BigInt, which JSON does not have; return it as text'
  return /call stack|string length/.test(message) ? 'it is nested too deeply or too large' : message
}

/** PostgreSQL stores neither NUL nor half a surrogate pair, and an error or a log line must never be the reason a run is lost. */
function clean(text: string): string {
  return text.toWellFormed().replaceAll('\0', '\ufffd')
}

function thrown({ name: rawName, message: rawMessage, stack }: ThrownError): StoryPortalError {
  const name = clean(rawName)
  const message = clean(rawMessage)
  const at = /code:(\d+):(\d+)/.exec(stack)
  const place = at ? { line: Number(at[1]), column: Number(at[2]) } : {}
  const lines = stack === '' ? [] : clean(stack).split('\n')
  return faults.codeThrew({ name, message }, { details: { name, message, stack: lines, ...place } })
}
