import { createServer } from 'node:net'

export type PortState = 'free' | 'taken' | 'forbidden' | 'no such address'

/** Tries the port the way a server would, and gives it back at once. */
export function portState(host: string, port: number): Promise<PortState> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve('taken')
      else resolve(error.code === 'EACCES' ? 'forbidden' : 'no such address')
    })
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve('free')))
  })
}

/** A base whose ports base+1 .. base+count are all free now, above `from`. */
export async function freePortBase(host: string, count = 14, from = 20_000): Promise<number> {
  for (let base = from + Math.floor(Math.random() * 400) * 20; base < 60_000; base += 20) {
    const states = await Promise.all(Array.from({ length: count }, (_, i) => portState(host, base + 1 + i)))
    if (states.every((state) => state === 'free')) return base
  }
  throw new Error('No free range of ports was found.')
}
