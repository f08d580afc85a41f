import module from 'node:module'
import type { Duplex } from 'node:stream'
import { encodeFrame, frameReader } from './frames.ts'
import { createSlot, type IsolatedVm, type RunningJob, type Slot, startJob } from './isolate.ts'
import { DEFAULT_LIMITS } from './limits.ts'
import type { FromWorker, Outcome, ToWorker } from './messages.ts'

const NOTHING = { cpu_ms: 0, memory_bytes: 0 }
const CAPS = { head: 4096, body: 64 * 1_048_576 }

/** The inside of a sandbox process: runs what comes over the channel, one at a time. `watch` is told the memory of the run, in MB, and 0 after it. */
export function serveRuns(vm: IsolatedVm, channel: Duplex, watch: (mb: number) => void = () => {}): void {
  let running: RunningJob | undefined
  /** Made while the parent reads the last result, so that a run does not wait for it. */
  let spare: Slot | undefined = newSlot(DEFAULT_LIMITS.heap_mb)

  function send(message: FromWorker, body = ''): void {
    channel.write(encodeFrame(message, body))
  }

  function newSlot(heapMb: number): Slot {
    // V8 lost control of the isolate, and says so only when its heap ran over; other reasons end by the wall clock.
    return createSlot(vm, heapMb, () =>
      send({ t: 'done', outcome: { end: 'limit', limit: 'heap_mb' }, usage: NOTHING }),
    )
  }

  function takeSlot(heapMb: number): Slot {
    if (spare?.heap_mb !== heapMb) return newSlot(heapMb)
    const slot = spare
    spare = undefined
    return slot
  }

  function run(message: Extract<ToWorker, { t: 'run' }>, body: string): void {
    const source = body.slice(0, message.code_length)
    const stripped = message.language === 'typescript' ? stripTypes(source) : { code: source }
    if ('outcome' in stripped) {
      send({ t: 'done', outcome: stripped.outcome, usage: NOTHING })
      return
    }
    const slot = takeSlot(message.limits.heap_mb)
    const input = body.slice(message.code_length)
    const job = {
      code: stripped.code,
      check: message.check,
      input,
      limits: { ...message.limits },
      repeatable: message.repeatable,
    }
    watch(message.limits.rss_mb)
    running = startJob(slot, job, {
      log: (level, line) => send({ t: 'log', level }, line),
      call: (index, name, args) => send({ t: 'call', index, name }, args),
      done(outcome, usage, result) {
        running = undefined
        watch(0)
        send({ t: 'done', outcome, usage }, result)
        // After a limit the parent replaces this process: the isolate may be beyond disposal.
        if (outcome.end !== 'limit') setImmediate(renew, slot)
      },
    })
  }

  function renew(used: Slot): void {
    used.isolate.dispose()
    spare ??= newSlot(used.heap_mb)
  }

  const read = frameReader(CAPS, (head, body) => {
    const message = head as ToWorker
    if (message.t === 'run') run(message, body)
    else running?.answer(message, body)
  })
  channel.on('data', read)
  send({ t: 'ready' })
}

/** Types become blanks, so every position stays. Parsing hostile text belongs in this process, like running it. */
function stripTypes(code: string): { code: string } | { outcome: Outcome } {
  const before = 'async function code(input, tools) {\n'
  try {
    const stripped = module.stripTypeScriptTypes(`${before}${code}\n}`)
    return { code: stripped.slice(before.length, -2) }
  } catch (error) {
    return { outcome: typeScriptError(error, code.split('\n').length) }
  }
}

/** The stack begins with `:<line>`, a line or two of the source and a row of carets; the message has no position. */
function typeScriptError(error: unknown, lines: number): Outcome {
  const { message, stack = '' } = error instanceof Error ? error : new Error('not TypeScript')
  const at = /^:(\d+)\n(?:.*\n){1,3}?( *)\^/.exec(stack)
  return {
    end: 'syntax',
    message: message.slice(0, 300),
    line: Math.min(Math.max(1, Number(at?.[1] ?? 2) - 1), lines),
    column: (at?.[2]?.length ?? 0) + 1,
  }
}
