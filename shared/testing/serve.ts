import { randomBytes } from 'node:crypto'
import type { Config } from '../config/index.ts'
import { type HttpHandle, type LoadedServer, serveHttp } from '../mcp/index.ts'
import { type Opened, open } from './open.ts'

export interface Served extends Opened {
  http: HttpHandle
  token: string
  /** `fetch` on this server with its bearer token. */
  request(path: string, init?: RequestInit): Promise<Response>
}

/** `open` plus a real HTTP listener on a free port of 127.0.0.1. */
export async function serve(
  server: LoadedServer | string,
  options: { config?: Partial<Config> } = {},
): Promise<Served> {
  const opened = await open(server, { ...options, start: true })
  const token = `test_${randomBytes(16).toString('hex')}`
  const name = typeof server === 'string' ? server : server.name
  const http = await serveHttp(opened.host, name, { port: 0, token })
  return {
    ...opened,
    http,
    token,
    request: (path, init = {}) =>
      fetch(http.url + path, { ...init, headers: { authorization: `Bearer ${token}`, ...init.headers } }),
    async close() {
      await http.close()
      await opened.close()
    },
  }
}
