import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const PROGRAM = fileURLToPath(new URL('./fixtures/receiver.ts', import.meta.url))

/** One arrival, as the receiver wrote it down. */
export interface Arrival {
  at: number
  label: string
  key: string
  fence?: number
  outcome: 'effect' | 'refused'
}

export interface Receiver {
  url: string
  /** Everything that arrived so far, in order. */
  arrivals(): Arrival[]
  stop(): Promise<void>
}

/** The world outside the platform: a process of its own that no fault touches. */
export async function startReceiver(file: string): Promise<Receiver> {
  const child = spawn(process.execPath, [PROGRAM, file], { stdio: ['pipe', 'pipe', 'inherit'] })
  const ended = once(child, 'exit')
  const [port] = (await once(child.stdout, 'data')) as [Buffer]
  return {
    url: `http://127.0.0.1:${String(port).trim()}`,
    arrivals: () =>
      readFileSync(file, 'utf8')
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line) as Arrival),
    async stop() {
      child.stdin.end()
      await ended
    },
  }
}
