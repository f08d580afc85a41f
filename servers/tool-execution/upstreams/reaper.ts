import { type ChildProcess, spawn } from 'node:child_process'
import type { Socket } from 'node:net'
import { fileURLToPath } from 'node:url'

/** Knows every process group started for an upstream, and kills them when this process is gone. */
export interface Reaper {
  watch(pid: number): void
  /** Kills what is left of the group at once. */
  kill(pid: number): void
  close(): void
}

/** Starts no process before the first group is watched. */
export function createReaper(): Reaper {
  const groups = new Set<number>()
  let child: ChildProcess | undefined
  const tell = (line: string) => child?.stdin?.write(`${line}\n`)

  const start = () => {
    const started = spawn(process.execPath, [fileURLToPath(new URL('reaper.js', import.meta.url))], {
      detached: true,
      env: {},
      stdio: ['pipe', 'ignore', 'ignore'],
    })
    // A reaper that was killed takes nobody with it: the next upstream starts another, which is told of all.
    const lost = () => {
      if (child === started) child = undefined
    }
    started.on('error', lost).on('exit', lost)
    started.stdin?.on('error', lost)
    started.unref()
    ;(started.stdin as Socket | null)?.unref()
    child = started
    for (const pid of groups) tell(`+${pid}`)
  }

  return {
    watch(pid) {
      groups.add(pid)
      if (child === undefined) start()
      else tell(`+${pid}`)
    },
    kill(pid) {
      groups.delete(pid)
      tell(`-${pid}`)
      try {
        process.kill(-pid, 'SIGKILL')
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
      }
    },
    close() {
      child?.stdin?.end()
      child = undefined
    },
  }
}
