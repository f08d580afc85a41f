import { connect, createServer } from 'node:net'
import type { Config } from '@story-portal/shared/config'
import { committedServers, highestPort } from '../registry.ts'
import { cliErrors } from './errors.ts'
import { probe, reachableHost } from './platform-state.ts'

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

/** True when something accepts connections there within two seconds. */
export function canConnect(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: 2_000 })
    const answer = (value: boolean) => {
      socket.destroy()
      resolve(value)
    }
    socket.once('connect', () => answer(true))
    socket.once('error', () => answer(false))
    socket.once('timeout', () => answer(false))
  })
}

/** A base whose ports base+1 .. base+count are all free now, above `from`. */
export async function freePortBase(host: string, count = highestPort(), from = 20_000): Promise<number> {
  for (let base = from + Math.floor(Math.random() * 400) * 20; base < 60_000; base += 20) {
    const states = await Promise.all(Array.from({ length: count }, (_, i) => portState(host, base + 1 + i)))
    if (states.every((state) => state === 'free')) return base
  }
  throw new Error('No free range of ports was found.')
}

/** Throws for the first port of these servers (default all) that somebody holds, and says who where that can be known. */
export async function assertPortsFree(config: Config, names?: readonly string[]): Promise<void> {
  for (const server of committedServers().filter(({ name }) => names?.includes(name) ?? true)) {
    const port = config.portBase + server.port
    const state = await portState(config.host, port)
    if (state === 'taken') throw await portTaken(config, port)
    if (state !== 'free') throw cliErrors.portRefused({ host: config.host, port, reason: state })
  }
}

async function portTaken(config: Config, port: number) {
  const { home } = await probe(`http://${reachableHost(config.host)}:${port}`)
  const other = `Choose another base, each server adds its own number to it: STORY_PORTAL_PORT_BASE=${config.portBase + 1000} npm start`
  const [holder, remedy] =
    home === undefined
      ? ['another program', other]
      : home === config.home
        ? [
            'the platform of this home',
            'End it first, with "npm stop", or Ctrl-C where "npm run dev" runs; then try again.',
          ]
        : [`the platform of ${home}`, other]
  return cliErrors.portTaken({ host: config.host, port, holder, remedy })
}
