import { readFileSync } from 'node:fs'
import os from 'node:os'

/** What the figures were measured on. */
export interface Machine {
  processor: string
  cores: number
  memory_gb: number
  system: string
  node: string
  /** Processes that wanted a core when the run began: above 1, figures are worth little but as ratios. */
  load_at_start: number
}

export function machine(): Machine {
  const [first] = os.cpus()
  return {
    processor: first?.model.trim() || 'unknown',
    cores: os.availableParallelism(),
    memory_gb: Math.round(os.totalmem() / 2 ** 30),
    system: systemName(),
    node: process.versions.node,
    load_at_start: Number(os.loadavg()[0]?.toFixed(1) ?? 0),
  }
}

function systemName(): string {
  try {
    const found = /^PRETTY_NAME="?([^"\n]+)/m.exec(readFileSync('/etc/os-release', 'utf8'))
    if (found?.[1]) return `${found[1]}, ${os.arch()}`
  } catch {
    // Not Linux: the kernel's own name has to do.
  }
  return `${os.type()} ${os.release()}, ${os.arch()}`
}
