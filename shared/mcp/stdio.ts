import type { Transport } from '@modelcontextprotocol/server'
import { serveStdio as sdkServeStdio } from '@modelcontextprotocol/server/stdio'
import type { Caller } from '../auth/index.ts'
import type { ToolBackend } from './backend.ts'
import { protocolServer } from './server-factory.ts'

/** Serves one connection in both eras, all of it as `caller`. The transport defaults to this process's stdin and stdout. */
export function serveConnection(
  backend: ToolBackend,
  caller: Caller,
  transport: Transport,
  onError: (error: Error) => void,
) {
  return sdkServeStdio((context) => protocolServer(backend, context, caller), { transport, onerror: onError })
}
