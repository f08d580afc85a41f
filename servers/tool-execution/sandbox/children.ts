import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { faults } from '../errors.ts'
import { type Child, startChild } from './child.ts'
import type { FrameCaps } from './frames.ts'

export interface ChildrenOptions {
  /** Idle processes kept warm. */
  warm: number
  /** Runs after which a process is replaced, so that what leaks or fragments in one stays small. */
  recycleAfter: number
  caps: FrameCaps
  log: SandboxLog
}

export interface SandboxLog {
  warn(fields: object, message: string): void
  debug(fields: object, message: string): void
}

const NOBODY = 65_534

/** The sandbox processes of one server: some wait warm, the rest start on demand. */
export class Children {
  readonly #options: ChildrenOptions
  readonly #cwd: string
  readonly #all = new Set<Child>()
  readonly #idle: Child[] = []
  readonly #busy = new Set<Child>()
  /** Root drops its rights for the children, unless nobody can't read the files they need. */
  #uid: number | undefined = process.getuid?.() === 0 ? NOBODY : undefined
  #closed = false

  constructor(options: ChildrenOptions) {
    this.#options = options
    this.#cwd = mkdtempSync(join(tmpdir(), 'story-portal-sandbox-'))
    chmodSync(this.#cwd, 0o555)
    process.once('exit', this.#removeCwd)
    this.#fill()
  }

  get pids(): number[] {
    return [...this.#all].map((child) => child.pid)
  }

  get busyPids(): number[] {
    return [...this.#busy].map((child) => child.pid)
  }

  /** A process that is ready, idle until now and held by the caller alone. */
  async take(): Promise<Child> {
    for (let attempt = 0; attempt < 3; attempt++) {
      const child = this.#takeIdle() ?? this.#start()
      child.hold(true)
      const failed = await child.ready.then(
        () => undefined,
        (error: Error) => error,
      )
      if (this.#closed) throw faults.closed()
      if (!failed && child.alive) {
        this.#busy.add(child)
        return child
      }
      if (failed) this.#couldNotStart(failed)
    }
    throw faults.noProcess()
  }

  /** Rather one that is ready than one that still starts. */
  #takeIdle(): Child | undefined {
    const ready = this.#idle.findIndex((child) => child.isReady)
    return this.#idle.splice(Math.max(0, ready), 1)[0]
  }

  /** Takes it back after a run; anything but a clean end replaces the process. */
  giveBack(child: Child, healthy: boolean): void {
    this.#busy.delete(child)
    child.runs += 1
    child.hold(false)
    const keep = healthy && child.alive && child.runs < this.#options.recycleAfter && !this.#closed
    // Nested runs take turns with more processes than are kept warm; some of those may stay.
    if (keep && this.#idle.length < this.#options.warm * 2) this.#idle.push(child)
    else child.kill()
    this.#fill()
  }

  async close(): Promise<void> {
    this.#closed = true
    const children = [...this.#all]
    for (const child of children) {
      child.hold(true)
      child.kill()
    }
    await Promise.all(children.map((child) => child.exited))
    process.off('exit', this.#removeCwd)
    this.#removeCwd()
  }

  readonly #removeCwd = (): void => rmSync(this.#cwd, { recursive: true, force: true })

  #fill(): void {
    while (!this.#closed && this.#all.size < this.#options.warm) {
      const child = this.#start()
      child.hold(false)
      this.#idle.push(child)
    }
  }

  #start(): Child {
    const child = startChild({
      cwd: this.#cwd,
      caps: this.#options.caps,
      ...(this.#uid === undefined ? {} : { uid: this.#uid }),
    })
    this.#all.add(child)
    child.exited.then((exit) => {
      this.#all.delete(child)
      const at = this.#idle.indexOf(child)
      if (at >= 0) this.#idle.splice(at, 1)
      if (exit.signal !== 'SIGKILL')
        this.#options.log.warn({ ...exit, pid: child.pid }, 'a sandbox process ended by itself')
    })
    return child
  }

  #couldNotStart(error: Error): void {
    this.#options.log.warn({ reason: error.message, uid: this.#uid }, 'a sandbox process did not start')
    if (this.#uid === undefined) return
    this.#options.log.warn({}, 'sandbox processes keep the rights of this user: "nobody" can not read their files')
    this.#uid = undefined
  }
}
