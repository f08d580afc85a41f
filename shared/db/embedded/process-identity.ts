import { execFileSync } from 'node:child_process'
import { readFileSync, readlinkSync } from 'node:fs'

/** When the kernel started the process; undefined when there is none, or the system does not say. */
export function startOf(pid: number): string | undefined {
  if (process.platform === 'linux') {
    const stat = readText(`/proc/${pid}/stat`)
    // The name, field 2, is in brackets and may hold spaces; field 22 is the start time.
    return stat?.slice(stat.lastIndexOf(')') + 2).split(' ')[19]
  }
  if (process.platform === 'win32') return undefined
  try {
    return execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' }).trim() || undefined
  } catch {
    return undefined
  }
}

let known: string | undefined

/** Tells one run of the machine from the next; '' where the system does not say. */
export function bootId(): string {
  known ??= readText('/proc/sys/kernel/random/boot_id')?.trim() ?? ''
  return known
}

let knownNamespace: string | undefined

/** Tells containers of one machine apart: process numbers of another namespace mean nothing here; '' where there is none. */
export function pidNamespace(): string {
  knownNamespace ??= readTarget('/proc/self/ns/pid') ?? ''
  return knownNamespace
}

function readTarget(link: string): string | undefined {
  try {
    return readlinkSync(link)
  } catch {
    return undefined
  }
}

function readText(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return undefined
  }
}
