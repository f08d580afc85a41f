import { readdirSync, readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { runningProcesses } from '../../tools/cli/platform-state.ts'
import { daemonPid } from '../../tools/cli/pm2.ts'
import { commandLine, descendants, isAlive } from '../../tools/cli/processes.ts'
import type { Subject } from './subject.ts'

type Place = Pick<Subject, 'home' | 'tree'>

/** The platform's own processes by name, not the supervisor that brings them back. */
export function serverProcesses({ home }: Place): { name: string; pid: number }[] {
  return runningProcesses(home).map(({ name, pid }) => ({ name, pid }))
}

export function sandboxPids(place: Place): number[] {
  return serverProcesses(place)
    .flatMap(({ pid }) => descendants(pid))
    .filter((pid) => commandLine(pid).includes('sandbox'))
}

export function kill(pid: number, signal: NodeJS.Signals = 'SIGKILL'): void {
  try {
    process.kill(pid, signal)
  } catch {
    // Gone by itself in this moment.
  }
}

/** Every process that runs a program of the tree or carries its home: servers, sandboxes, supervisor, entries, by command line. */
export function processesOf({ home, tree }: Place): { pid: number; command: string }[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((name) => ({ pid: Number(name), command: commandLine(Number(name)) }))
    .filter(({ pid, command }) => command.includes(tree) || command.includes(home) || environment(pid).includes(home))
    .filter(({ pid }) => isAlive(pid) && pid !== process.pid)
}

/**
 * Supervised apps that run twice or under nobody, and supervisors beyond the one, also a second later: a process may have been started
 * between two looks at /proc, and the sandbox of a process that ended notices within 250 ms. Clients' own stdio entries are no part of it.
 */
export async function strays(subject: Place): Promise<string[]> {
  const before = straysNow(subject)
  if (before.length === 0) return []
  await sleep(1_000)
  const after = straysNow(subject)
  return before.filter((one) => after.includes(one))
}

function straysNow(subject: Place): string[] {
  const daemon = daemonPid(subject.home)
  const below = new Set(daemon === undefined ? [] : [daemon, ...descendants(daemon)])
  const orphans = processesOf(subject)
    .filter(({ pid, command }) => !below.has(pid) && /God Daemon|platform\.ts|serve\.ts|sandbox/.test(command))
    .map(({ pid, command }) => `process ${pid} is nobody's: ${command.slice(0, 120)}`)
  const names = serverProcesses(subject).map(({ name }) => name)
  const twice = names.filter((name, index) => names.indexOf(name) !== index)
  return [...orphans, ...twice.map((name) => `${name} runs twice`)]
}

function environment(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'utf8')
  } catch {
    return ''
  }
}
