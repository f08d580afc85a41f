import type { Readable, Writable } from 'node:stream'
import type { Transport } from '@modelcontextprotocol/server'
import { serveStdio as sdkServeStdio } from '@modelcontextprotocol/server/stdio'
import type { Caller } from '../auth/index.ts'
import type { Logger } from '../telemetry/index.ts'
import type { ToolBackend } from './backend.ts'
import { protocolServer } from './server-factory.ts'
import { LineTransport } from './stdio-transport.ts'

export interface StdioOptions {
  caller: Caller
  /** Must not write to stdout, which is protocol only. */
  log: Logger
  /** Longest message; the body limit of the configuration plus room for the envelope. */
  maxBytes: number
  input?: Readable
  output?: Writable
}

export interface StdioHandle {
  /** Settles when the client has closed its end. */
  readonly closed: Promise<void>
  close(): Promise<void>
}

/** Serves one server to the client that started this process, in both eras; ends when stdin does. */
export function serveStdio(backend: ToolBackend, options: StdioOptions): StdioHandle {
  const { input = process.stdin, output = process.stdout, log } = options
  const transport = new LineTransport(input, output, options.maxBytes)
  const closed = new Promise<void>((resolve) => {
    input.once('end', resolve)
    input.once('close', resolve)
    output.once('error', () => resolve())
  })
  const handle = serveConnection(backend, options.caller, transport, (error) =>
    log.debug({ err: error }, 'a message was refused by the protocol'),
  )
  return { closed, close: () => handle.close() }
}

/** Serves one connection in both eras, all of it as `caller`. */
export function serveConnection(
  backend: ToolBackend,
  caller: Caller,
  transport: Transport,
  onError: (error: Error) => void,
): { close(): Promise<void> } {
  return sdkServeStdio((context) => protocolServer(backend, context, caller), { transport, onerror: onError })
}
