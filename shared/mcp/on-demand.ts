import type { HostOptions } from './create-host.ts'
import type { Host } from './host.ts'
import type { HttpHandle, HttpOptions } from './http.ts'

/**
 * What runs tools brings the database, the engine and the HTTP stack with it: a second of loading. It is loaded when it is asked
 * for, because the stdio relay, which every client starts once per server, needs none of it.
 */

/** Puts loaded servers and the parts they share together into one process. Starts nothing: `start` does. */
export async function createHost(options: HostOptions): Promise<Host> {
  const { assembleHost } = await import('./create-host.ts')
  return assembleHost(options)
}

/** Serves one hosted server over HTTP: Streamable HTTP in both eras, legacy SSE, health, metrics and calls between processes. */
export async function serveHttp(host: Host, serverName: string, options: HttpOptions): Promise<HttpHandle> {
  const { listenHttp } = await import('./http.ts')
  return listenHttp(host, serverName, options)
}
