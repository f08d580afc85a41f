import { type ChildProcess, spawn } from 'node:child_process'
import { ReadBuffer, serializeMessage, type Transport } from '@modelcontextprotocol/client'
import { programEnvironment } from '@story-portal/shared/config'
import type { Reaper } from './reaper.ts'

const MAX_MESSAGE_BYTES = 4 * 1024 * 1024
/** What an upstream may send after one message of ours, before it counts as a flood. */
const MAX_UNASKED_BYTES = 32 * 1024 * 1024
const END_MS = 1_000

export interface ProcessParameters {
  command: string
  args: readonly string[]
  env: Readonly<Record<string, string>>
}

/**
 * Speaks with an upstream over its stdin and stdout. Unlike the SDK's own transport it starts the command in a process group of its
 * own, which ends as a whole, with an environment of PATH and what was asked for, and cuts off an upstream that floods.
 */
export function processTransport({ command, args, env }: ProcessParameters, reaper: Reaper): Transport {
  const buffer = new ReadBuffer({ maxBufferSize: MAX_MESSAGE_BYTES })
  let child: ChildProcess | undefined
  let received = 0

  const end = () => {
    if (child?.pid !== undefined) reaper.kill(child.pid)
    child = undefined
  }
  const read = (chunk: Buffer) => {
    received += chunk.length
    try {
      if (received > MAX_UNASKED_BYTES) throw new Error('flood')
      buffer.append(chunk)
      for (let message = next(); message !== null; message = next()) transport.onmessage?.(message)
    } catch (error) {
      transport.onerror?.(error as Error)
      end()
    }
  }
  /** A line that is no message is passed over: servers print to stdout by mistake. */
  const next = () => {
    for (;;) {
      try {
        return buffer.readMessage()
      } catch (error) {
        transport.onerror?.(error as Error)
      }
    }
  }

  const transport: Transport = {
    start: () =>
      new Promise((resolve, reject) => {
        const { PATH } = programEnvironment()
        const started = spawn(command, args, {
          detached: true,
          env: { PATH, ...env },
          stdio: ['pipe', 'pipe', 'ignore'],
        })
        child = started
        started.once('spawn', () => {
          reaper.watch(started.pid as number)
          resolve()
        })
        started.on('error', reject)
        started.once('exit', () => {
          if (started.pid !== undefined) reaper.kill(started.pid)
          child = undefined
          buffer.clear()
          transport.onclose?.()
        })
        started.stdin?.on('error', (error) => transport.onerror?.(error))
        started.stdout?.on('data', read)
      }),
    send: (message) =>
      new Promise((resolve, reject) => {
        if (!child?.stdin?.writable) return reject(new Error('not connected'))
        received = 0
        child.stdin.write(serializeMessage(message), (error) => (error ? reject(error) : resolve()))
      }),
    async close() {
      const closing = child
      if (!closing || closing.exitCode !== null) return
      const exited = new Promise<void>((resolve) => closing.once('exit', () => resolve()))
      closing.stdin?.end()
      const timer = setTimeout(end, END_MS)
      await exited
      clearTimeout(timer)
    },
  }
  return transport
}
