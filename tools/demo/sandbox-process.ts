import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { runningProcesses } from '../cli/platform-state.ts'
import { commandLine, descendants } from '../cli/processes.ts'

const SAMPLE_MS = 60
/** More CPU time than a sandbox process needs to start: one that has used it and goes on is in the middle of a program. */
const STARTED_MS = 600

export interface Kill {
  pid: number
  at: number
}

/** Waits for a sandbox process of this home that is working and ends it with SIGKILL; undefined when none was busy in time. */
export async function killBusySandbox(home: string, waitMs: number): Promise<Kill | undefined> {
  const deadline = Date.now() + waitMs
  let before = new Map<number, number>()
  while (Date.now() < deadline) {
    const now = new Map(sandboxProcesses(home).map((pid) => [pid, cpuMs(pid)]))
    for (const [pid, used] of now) {
      if (used < STARTED_MS || used === (before.get(pid) ?? used)) continue
      process.kill(pid, 'SIGKILL')
      return { pid, at: Date.now() }
    }
    before = now
    await sleep(SAMPLE_MS)
  }
  return undefined
}

export function sandboxProcesses(home: string): number[] {
  return runningProcesses(home)
    .flatMap(({ pid }) => descendants(pid))
    .filter((pid) => /tool-execution[\\/]sandbox[\\/]/.test(commandLine(pid)))
}

/** CPU time of a process so far. */
function cpuMs(pid: number): number {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
    return (Number(fields[11]) + Number(fields[12])) * 10
  } catch {
    return psCpuMs(pid)
  }
}

function psCpuMs(pid: number): number {
  if (process.platform === 'linux' || process.platform === 'win32') return 0
  try {
    const text = execFileSync('ps', ['-p', String(pid), '-o', 'time='], { encoding: 'utf8' }).trim()
    return text.split(':').reduce((sum, part) => sum * 60 + Number(part), 0) * 1000
  } catch {
    return 0
  }
}
