import { createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'

/**
 * A door for tools that cannot send a token: adds it to every request and passes all else through as it came, Host and Origin
 * too, because what a server says to a foreign one is judged.
 */
export async function bearerProxy(port: number, token: string): Promise<{ port: number; close(): Promise<void> }> {
  const server = createServer((req, res) => {
    const headers = [...req.rawHeaders, 'Authorization', `Bearer ${token}`]
    const forward = request({ host: '127.0.0.1', port, method: req.method, path: req.url, headers, setHost: false })
    forward.on('response', (answer) => {
      res.writeHead(answer.statusCode ?? 502, answer.rawHeaders)
      answer.pipe(res)
    })
    forward.on('error', () => res.destroy())
    res.on('close', () => forward.destroy())
    req.pipe(forward)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
