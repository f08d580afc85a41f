import { spawn } from 'node:child_process'
import { closeSync, openSync, readSync, statSync } from 'node:fs'
import net from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

/**
 * A shell stands between us and the service and reads our pipe: when this process ends in any way, kill -9 included, the
 * pipe closes, the shell ends the service and removes its directory. `keep` on the pipe ends the service and keeps the data.
 */
const GUARD = `
exec 3<&0
"$@" >>"$GUARD_DIR/service.log" 2>&1 3<&- &
child=$!
echo "$child"
(
  read -r word <&3
  [ "$word" = keep ] || : >"$GUARD_DIR/.remove"
  kill -s "$GUARD_SIGNAL" "$child"
  i=0
  while [ $i -lt 40 ] && kill -0 "$child"; do sleep 0.25; i=$((i + 1)); done
  kill -s KILL "$child"
) >/dev/null 2>&1 &
watcher=$!
wait "$child"
code=$?
kill "$watcher" 2>/dev/null
[ ! -e "$GUARD_DIR/.remove" ] || rm -rf "$GUARD_DIR"
exit $code
`

export interface GuardedOptions {
  command: string
  args: string[]
  /** Private directory of the service; `service.log` is written there, and the whole directory is removed in the end. */
  dir: string
  /** How the service is asked to end. */
  signal: 'INT' | 'TERM' | 'QUIT'
  env?: Record<string, string>
  /** User and group to run as, when this process is root and the service refuses that. */
  id?: number | undefined
}

export interface Guarded {
  /** Of the service itself, not of the shell around it. */
  readonly pid: number
  /** Resolves with the exit code once the service has ended, for whatever reason. */
  ended(): Promise<number>
  running(): boolean
  /** Ends the service; its directory stays only when asked for. */
  end(options?: { keep?: boolean }): Promise<void>
}

/** Starts a program that can't outlive this process. POSIX only. */
export async function startGuarded(options: GuardedOptions): Promise<Guarded> {
  const child = spawn('/bin/sh', ['-c', GUARD, 'guard', options.command, ...options.args], {
    cwd: options.dir,
    detached: true,
    stdio: ['pipe', 'pipe', 'ignore'],
    env: { PATH: process.env['PATH'], ...options.env, GUARD_DIR: options.dir, GUARD_SIGNAL: options.signal },
    ...(options.id === undefined ? {} : { uid: options.id, gid: options.id }),
  })
  let running = true
  const ended = new Promise<number>((resolve) => {
    child.once('error', () => resolve(127))
    child.once('exit', (code, signal) => resolve(code ?? (signal ? 128 : 1)))
  }).finally(() => {
    running = false
  })
  child.stdin.on('error', () => {})
  const pid = await new Promise<number>((resolve, reject) => {
    child.stdout.once('data', (data: Buffer) => resolve(Number.parseInt(String(data), 10)))
    void ended.then((code) => reject(new Error(`${options.command} did not start (exit code ${code})`)))
  })
  child.stdout.destroy()
  child.unref()
  const pipe = child.stdin as unknown as net.Socket
  pipe.unref()
  return {
    pid,
    ended() {
      // Unreferenced it would not keep this process alive, and awaiting it would end the process instead.
      child.ref()
      return ended
    },
    running: () => running,
    async end({ keep = false } = {}) {
      child.ref()
      child.stdin.end(keep ? 'keep\n' : '')
      await ended
    },
  }
}

/** A free port of 127.0.0.1. Somebody may take it before it is used: callers try again with another. */
export async function freePort(): Promise<number> {
  const server = net.createServer()
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', resolve)
  })
  const { port } = server.address() as net.AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}

/** Waits until `ready` says yes; fails when the service ends first or `limit_ms` passes, with the end of its log. */
export async function untilReady(
  service: Guarded,
  dir: string,
  ready: () => Promise<boolean> | boolean,
  limit_ms = 30_000,
): Promise<void> {
  const deadline = performance.now() + limit_ms
  while (!(await ready())) {
    if (!service.running()) throw new Error(`the service ended at once: ${logTail(dir)}`)
    if (performance.now() > deadline) {
      await service.end()
      throw new Error(`the service was not ready in ${limit_ms} ms: ${logTail(dir)}`)
    }
    await sleep(20)
  }
}

function logTail(dir: string, bytes = 2_000): string {
  try {
    const path = `${dir}/service.log`
    const { size } = statSync(path)
    const buffer = Buffer.alloc(Math.min(bytes, size))
    const file = openSync(path, 'r')
    readSync(file, buffer, 0, buffer.length, size - buffer.length)
    closeSync(file)
    return buffer.toString('utf8').trim()
  } catch {
    return '(no log)'
  }
}
