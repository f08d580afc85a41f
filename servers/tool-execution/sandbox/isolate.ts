import { readFileSync } from 'node:fs'
import type ivm from 'isolated-vm'
import type { IsolateLimit, IsolateUsage, Outcome, ThrownError } from './messages.ts'
import type { Repeatable } from './run.ts'

export type IsolatedVm = typeof ivm

type Emit = (event: string, index: number, text: string, extra: string) => void

/** A fresh isolate with the prelude loaded and no user code yet. It is used for one run and thrown away. */
export interface Slot {
  heap_mb: number
  isolate: ivm.Isolate
  /** Never reaches user code: only ivm.Callback crosses into the isolate. */
  enter: ivm.Reference<(what: string, index: number, ok: boolean | string, body: string, extra: string) => void>
  listener: { emit: Emit }
}

const PRELUDE = readFileSync(new URL('./prelude.js', import.meta.url), 'utf8')
/** Strict, or code of the caller could reach the prelude's functions through `arguments.callee.caller`. */
const PROGRAM = `'use strict'\n${PRELUDE}\nreturn prelude($0)`

/** `new AsyncFunction` puts two lines before the body. */
const HEADER_LINES = 2

export function createSlot(vm: IsolatedVm, heapMb: number, onCatastrophe: () => void): Slot {
  const listener: { emit: Emit } = { emit: () => {} }
  const isolate = new vm.Isolate({ memoryLimit: Math.max(8, heapMb), onCatastrophicError: onCatastrophe })
  const context = isolate.createContextSync()
  const emit: Emit = (event, index, text, extra) => listener.emit(event, index, text, extra)
  const enter: Slot['enter'] = context.evalClosureSync(PROGRAM, [new vm.Callback(emit, { ignored: true })], {
    result: { reference: true },
    filename: 'sandbox',
  })
  return { heap_mb: heapMb, isolate, enter, listener }
}

export interface Job {
  code: string
  check: boolean
  /** JSON text. */
  input: string
  limits: { wall_ms: number; [name: string]: number }
  repeatable?: Repeatable | undefined
}

export interface JobEvents {
  log(level: string, line: string): void
  call(index: number, name: string, args: string): void
  done(outcome: Outcome, usage: IsolateUsage, result: string): void
}

export interface RunningJob {
  answer(answered: { index: number; ok: boolean; at?: number | undefined }, json: string): void
}

/** Runs one job in a slot; `done` is called exactly once, when the code has ended and its microtasks are drained. */
export function startJob(slot: Slot, job: Job, events: JobEvents): RunningJob {
  const deadline = performance.now() + job.limits.wall_ms
  const timer = setTimeout(() => finish({ end: 'limit', limit: 'wall_ms' }), job.limits.wall_ms)
  let ended: { outcome: Outcome; result: string } | undefined
  let finished = false

  function finish(outcome: Outcome, result = ''): void {
    if (finished) return
    finished = true
    clearTimeout(timer)
    events.done(outcome, measure(slot, outcome), result)
  }

  slot.listener.emit = (event, index, text, extra) => {
    if (finished) return
    if (event === 'log') events.log(extra, text)
    else if (event === 'call') events.call(index, extra, text)
    else if (event === 'trip') finish({ end: 'limit', limit: extra as IsolateLimit })
    else if (event === 'end') ended = readEnd(slot, job, extra, text)
  }

  function enter(what: string, index: number, ok: boolean | string, body: string, extra: string): void {
    const timeout = Math.max(1, Math.ceil(deadline - performance.now()))
    // Only when it is back: a loop that the code left running after its result must not be taken for a finished run.
    const back = (): void => void (ended && finish(ended.outcome, ended.result))
    slot.enter.apply(undefined, [what, index, ok, body, extra], { timeout }).then(back, () => {
      if (slot.isolate.isDisposed) finish({ end: 'limit', limit: 'heap_mb' })
      else if (performance.now() >= deadline) finish({ end: 'limit', limit: 'wall_ms' })
      // What is left is a rejection that the code did not handle; it goes on without it, as everywhere.
      else back()
    })
  }

  enter(job.check ? 'check' : 'run', 0, job.input, job.code, JSON.stringify({ ...job.limits, ...job.repeatable }))
  return {
    answer: ({ index, ok, at }, json) =>
      !finished && enter('answer', index, ok, json, at === undefined ? '' : String(at)),
  }
}

function readEnd(slot: Slot, job: Job, end: string, text: string): { outcome: Outcome; result: string } {
  if (end === 'result') return { outcome: { end }, result: text }
  const error = JSON.parse(text) as ThrownError
  if (end === 'syntax') return { outcome: locateSyntaxError(slot.isolate, job.code, error.message), result: '' }
  if (end === 'not_json') return { outcome: { end, message: error.message }, result: '' }
  return { outcome: { end: 'threw', error: { ...error, stack: ownFrames(error.stack) } }, result: '' }
}

/** The error of `new AsyncFunction` has no position; compiling the same text as a script says where. */
function locateSyntaxError(isolate: ivm.Isolate, code: string, message: string): Outcome {
  try {
    isolate
      .compileScriptSync(`(async (input, tools) => {\n${code}\n})`, { filename: 'code.js', lineOffset: -1 })
      .release()
  } catch (error) {
    const found = /^(.*) \[code\.js:(-?\d+):(\d+)\]$/s.exec(error instanceof Error ? error.message : '')
    const lines = code.split('\n').length
    if (found) {
      const line = Math.min(Math.max(1, Number(found[2])), lines)
      return { end: 'syntax', message: found[1] ?? message, line, column: Number(found[3]) }
    }
  }
  return { end: 'syntax', message, line: 1, column: 1 }
}

/** Keeps the frames of the caller's code and counts their lines as the caller does. */
function ownFrames(stack: string): string {
  const frames: string[] = []
  for (const line of stack.split('\n').slice(0, 60)) {
    const frame = /^\s+at (?:(.{1,200}?) )?\(?code\.js:(\d+):(\d+)\)?$/.exec(line)
    if (!frame) continue
    const where = `code:${Number(frame[2]) - HEADER_LINES}:${frame[3]}`
    const name = frame[1] === 'eval' ? undefined : frame[1]
    frames.push(name ? `${name} (${where})` : where)
  }
  return frames.slice(0, 20).join('\n')
}

function measure(slot: Slot, outcome: Outcome): IsolateUsage {
  // After a limit the isolate may still be running: asking it would block this thread until it ends.
  if (outcome.end === 'limit' || slot.isolate.isDisposed) return { cpu_ms: 0, memory_bytes: 0 }
  const heap = slot.isolate.getHeapStatisticsSync()
  return {
    cpu_ms: Math.round(Number(slot.isolate.cpuTime) / 1e4) / 100,
    memory_bytes: heap.used_heap_size + heap.externally_allocated_size,
  }
}
