import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'

/** True when a process of that number exists and has not ended (a zombie has). */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
  return stat(pid)?.state !== 'Z'
}

/** `ppid` and state from /proc; undefined where there is none. */
function stat(pid: number): { ppid: number; state: string } | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const [state = '', ppid = '0'] = text.slice(text.lastIndexOf(')') + 2).split(' ')
    return { state, ppid: Number(ppid) }
  } catch {
    return undefined
  }
}

/** The command line of a process, '' when it can't be read. */
export function commandLine(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')
  } catch {
    return psCommand(pid)
  }
}

function psCommand(pid: number): string {
  if (process.platform === 'linux' || process.platform === 'win32') return ''
  try {
    return execFileSync('ps', ['-p', String(pid), '-o', 'command='], { encoding: 'utf8' }).trim()
  } catch {
    return ''
  }
}

/** Every process started by `pid`, and theirs, children before grandchildren. Empty where the system doesn't tell. */
export function descendants(pid: number): number[] {
  const children = new Map<number, number[]>()
  for (const [child, parent] of parents()) children.set(parent, [...(children.get(parent) ?? []), child])
  const found: number[] = []
  const queue = [pid]
  while (queue.length > 0) {
    const next = children.get(queue.shift() ?? -1) ?? []
    found.push(...next)
    queue.push(...next)
  }
  return found
}

function parents(): [number, number][] {
  if (process.platform === 'linux') {
    return readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .flatMap((name) => {
        const found = stat(Number(name))
        return found && found.state !== 'Z' ? [[Number(name), found.ppid] as [number, number]] : []
      })
  }
  if (process.platform === 'win32') return []
  const lines = execFileSync('ps', ['-A', '-o', 'pid=,ppid='], { encoding: 'utf8' }).trim().split('\n')
  return lines.map((line) => line.trim().split(/\s+/).map(Number) as [number, number])
}

/** Sends `signal` to those still there and waits until they are gone, then SIGKILL; returns who did not go. */
export async function endProcesses(
  pids: readonly number[],
  signal: NodeJS.Signals,
  graceMs: number,
): Promise<number[]> {
  for (const pid of pids) send(pid, signal)
  if (await allGone(pids, graceMs)) return []
  for (const pid of pids.filter(isAlive)) send(pid, 'SIGKILL')
  await allGone(pids, 3_000)
  return pids.filter(isAlive)
}

export async function allGone(pids: readonly number[], waitMs: number): Promise<boolean> {
  const deadline = Date.now() + waitMs
  while (pids.some(isAlive)) {
    if (Date.now() > deadline) return false
    await sleep(50)
  }
  return true
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch {
    // Gone already.
  }
}
