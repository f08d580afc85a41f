import { type ChildProcess, spawn } from 'node:child_process'
import { createRequire } from 'node:module'
import { dirname, extname, join } from 'node:path'
import type { Duplex } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { encodeFrame, type FrameCaps, frameReader } from './frames.ts'
import type { FromWorker, ToWorker } from './messages.ts'

export interface ChildOptions {
  /** An empty directory that nobody may write. */
  cwd: string
  /** Run as this user and group; only root can. */
  uid?: number
  caps: FrameCaps
}

export interface ChildExit {
  code: number | null
  signal: NodeJS.Signals | null
  /** The last words on stderr, for the log only. */
  stderr: string
}

/** One sandbox process as its parent sees it. */
export interface Child {
  readonly pid: number
  /** Settles when the process has said that it is ready, or ended before that. */
  readonly ready: Promise<void>
  readonly exited: Promise<ChildExit>
  readonly alive: boolean
  readonly isReady: boolean
  /** Runs it has served. */
  runs: number
  listener: ((message: FromWorker, body: string) => void) | undefined
  send(message: ToWorker, body?: string): void
  kill(): void
  /** Whether it keeps the event loop of this process alive; only while it runs something. */
  hold(on: boolean): void
}

const require = createRequire(import.meta.url)
const here = dirname(fileURLToPath(import.meta.url))

/** What the process may read: its own code and the native module. No writing, no network of its own, no child processes. */
function permissions(): string[] {
  const vm = dirname(require.resolve('isolated-vm/package.json'))
  const readable = [
    here,
    join(dirname(here), 'package.json'),
    vm,
    dirname(createRequire(join(vm, 'package.json')).resolve('node-gyp-build/package.json')),
    // node-gyp-build looks for it to tell musl from glibc.
    '/etc/alpine-release',
  ]
  return ['--permission', '--allow-addons', '--allow-worker', ...readable.map((path) => `--allow-fs-read=${path}`)]
}

/** isolated-vm asks for --no-node-snapshot; the warnings would only fill stderr. */
const FLAGS = ['--no-node-snapshot', '--disable-warning=ExperimentalWarning', '--disable-warning=SecurityWarning']

export function startChild(options: ChildOptions): Child {
  const program = join(here, `worker${extname(fileURLToPath(import.meta.url))}`)
  const args = [...FLAGS, ...permissions(), program, String(process.pid), require.resolve('isolated-vm')]
  const child = spawn(process.execPath, args, {
    cwd: options.cwd,
    env: {},
    stdio: ['ignore', 'ignore', 'pipe', 'pipe'],
    ...(options.uid === undefined ? {} : { uid: options.uid, gid: options.uid }),
  })
  return wrap(child, child.stdio[3] as Duplex, options.caps)
}

function wrap(child: ChildProcess, channel: Duplex, caps: FrameCaps): Child {
  const exited = whenExited(child)
  const kill = (): void => void child.kill('SIGKILL')
  let becomeReady = (): void => {}
  const handle: Child = {
    pid: child.pid ?? 0,
    ready: new Promise((resolve, reject) => {
      becomeReady = resolve
      exited.then((exit) => reject(new Error(`sandbox process ended before it was ready: ${exit.stderr || exit.code}`)))
    }),
    exited,
    alive: true,
    isReady: false,
    runs: 0,
    listener: undefined,
    send: (message, body) => void channel.write(encodeFrame(message, body)),
    kill,
    hold: (on) => holdLoop(child, channel, on),
  }
  handle.ready.then(
    () => Object.assign(handle, { isReady: true }),
    () => {},
  )
  exited.then(() => Object.assign(handle, { alive: false }))
  const receive = (message: FromWorker, body: string): void => {
    if (message.t === 'ready') becomeReady()
    else handle.listener?.(message, body)
  }
  wrapChannel(channel, caps, receive, kill)
  return handle
}

/** Reads messages until the framing breaks: then whatever talks there is not our program any more. */
export function wrapChannel(
  channel: Duplex,
  caps: FrameCaps,
  receive: (message: FromWorker, body: string) => void,
  distrust: () => void,
): void {
  const read = frameReader(caps, (head, body) => receive(head as FromWorker, body))
  channel.on('data', (chunk: Buffer) => {
    try {
      read(chunk)
    } catch {
      distrust()
    }
  })
  // A process that is gone is seen by its exit, never by a failed write.
  channel.on('error', () => {})
}

function whenExited(child: ChildProcess): Promise<ChildExit> {
  let stderr = ''
  child.stderr?.on('data', (chunk: Buffer) => {
    stderr = (stderr + chunk.toString('utf8')).slice(-4000)
  })
  return new Promise((resolve) => {
    child.on('error', (error) => resolve({ code: null, signal: null, stderr: error.message }))
    child.on('exit', (code, signal) => resolve({ code, signal, stderr }))
  })
}

function holdLoop(child: ChildProcess, channel: Duplex, on: boolean): void {
  const streams = [channel, child.stderr] as unknown as { ref(): void; unref(): void }[]
  for (const stream of streams) on ? stream.ref() : stream.unref()
  on ? child.ref() : child.unref()
}
