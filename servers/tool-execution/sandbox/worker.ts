import module, { createRequire } from 'node:module'
import { Socket } from 'node:net'
import { Worker } from 'node:worker_threads'
import { encodeFrame, frameReader } from './frames.ts'
import { createSlot, type IsolatedVm, type RunningJob, type Slot, startJob } from './isolate.ts'
import { DEFAULT_LIMITS } from './limits.ts'
import type { FromWorker, Outcome, ToWorker } from './messages.ts'

// The program of one sandbox process: empty environment, empty directory, no rights. It speaks frames on descriptor 3.

const [parentPid, vmPath] = process.argv.slice(2)
const vm: IsolatedVm = createRequire(import.meta.url)(String(vmPath))

// Its own thread, because this one may be stuck in native code when the parent dies.
new Worker(
  `const { workerData } = require('node:worker_threads')
   setInterval(() => { if (process.ppid !== workerData) process.kill(process.pid, 'SIGKILL') }, 250)`,
  { eval: true, workerData: Number(parentPid), resourceLimits: { maxOldGenerationSizeMb: 16 } },
).unref()

const parent = new Socket({ fd: 3, readable: true, writable: true })
const die = () => process.kill(process.pid, 'SIGKILL')
parent.on('error', die)
parent.on('end', die)

function send(message: FromWorker, body = ''): void {
  parent.write(encodeFrame(message, body))
}

/** Made while the parent reads the last result, so that a run does not wait for it. */
let spare: Slot | undefined = newSlot(DEFAULT_LIMITS.heap_mb)
let running: RunningJob | undefined

function newSlot(heapMb: number): Slot {
  // V8 lost control of the isolate; if it was not the heap, the wall clock of the parent would have come anyway.
  return createSlot(vm, heapMb, () => send({ t: 'done', outcome: { end: 'limit', limit: 'heap_mb' }, usage: NOTHING }))
}

const NOTHING = { cpu_ms: 0, memory_bytes: 0 }

function takeSlot(heapMb: number): Slot {
  const slot = spare?.heap_mb === heapMb ? spare : newSlot(heapMb)
  if (slot === spare) spare = undefined
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
  const job = {
    code: stripped.code,
    check: message.check,
    input: body.slice(message.code_length),
    limits: { ...message.limits },
  }
  running = startJob(slot, job, {
    log: (level, line) => send({ t: 'log', level }, line),
    call: (index, name, args) => send({ t: 'call', index, name }, args),
    done(outcome, usage, result) {
      running = undefined
      send({ t: 'done', outcome, usage }, result)
      // After a limit the parent replaces this process: the isolate may be beyond disposal.
      if (outcome.end === 'limit') return
      slot.isolate.dispose()
      setImmediate(() => {
        spare ??= newSlot(message.limits.heap_mb)
      })
    },
  })
}

function stripTypes(code: string): { code: string } | { outcome: Outcome } {
  const before = 'async function code(input, tools) {\n'
  try {
    const stripped = module.stripTypeScriptTypes(`${before}${code}\n}`)
    return { code: stripped.slice(before.length, -2) }
  } catch (error) {
    return { outcome: typeScriptError(error) }
  }
}

/** The stack begins with `:<line>`, a line or two of the source and a row of carets under the fault; the message has no position. */
function typeScriptError(error: unknown): Outcome {
  const { message, stack = '' } = error instanceof Error ? error : new Error('not TypeScript')
  const at = /^:(\d+)\n(?:.*\n){1,3}?( *)\^/.exec(stack)
  return {
    end: 'syntax',
    message: message.slice(0, 300),
    line: Math.max(1, Number(at?.[1] ?? 2) - 1),
    column: (at?.[2]?.length ?? 0) + 1,
  }
}

const CAPS = { head: 4096, body: 64 * 1024 * 1024 }

parent.on(
  'data',
  frameReader(CAPS, (head, body) => {
    const message = head as ToWorker
    if (message.t === 'run') run(message, body)
    else running?.answer(message.index, message.ok, body)
  }),
)
send({ t: 'ready' })
