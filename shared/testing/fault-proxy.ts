import { once } from 'node:events'
import net from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

export interface FaultProxy {
  readonly port: number
  /** The same address through the proxy: `postgres://user:secret@host:5432/db` -> `...@127.0.0.1:<port>/db`. */
  through(url: string): string
  /** Open connections of clients. */
  connections(): number
  /** Every piece of data, in both directions, arrives so much later. */
  delay(ms: number): void
  /** So many bytes a second per connection and direction. */
  throttle(bytes_per_s: number): void
  /** Connections are taken and nothing passes, as behind a firewall that drops packets; what was sent arrives after `heal`. */
  blackhole(): void
  /** Breaks every open connection off with a reset; new ones work. */
  cut(): void
  /** Breaks every open connection off, and every new one at once, as if nothing listened. */
  refuse(): void
  /** The next piece of data from the server is lost and its connection broken off: the answer of a request that was carried out. */
  loseNextAnswer(): void
  /** Back to passing everything. */
  heal(): void
  close(): Promise<void>
}

interface Faults {
  delay_ms: number
  bytes_per_s: number
  refusing: boolean
  losing: boolean
  /** Pending while nothing may pass. */
  gate: Promise<void>
}

interface Pair {
  client: net.Socket
  server: net.Socket
}

/** A TCP proxy on a free port of 127.0.0.1 before `target`, which does to the traffic what the test says. */
export async function startFaultProxy(target: { host?: string; port: number }): Promise<FaultProxy> {
  const faults: Faults = { ...clear(), gate: Promise.resolve() }
  const pairs = new Set<Pair>()
  let open = () => {}

  const listener = net.createServer({ allowHalfOpen: true }, (client) => {
    if (faults.refusing) {
      client.resetAndDestroy()
      return
    }
    const server = net.connect({ port: target.port, host: target.host ?? '127.0.0.1', allowHalfOpen: true })
    const pair = { client, server }
    pairs.add(pair)
    for (const socket of [client, server]) socket.on('error', () => {})
    void pump(client, server, faults)
    void pump(server, client, faults, () => breakOff(pair))
    client.once('close', () => pairs.delete(pair))
  })
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve))
  const { port } = listener.address() as net.AddressInfo
  const cut = () => pairs.forEach(breakOff)

  return {
    port,
    through(url) {
      const changed = new URL(url)
      changed.hostname = '127.0.0.1'
      changed.port = String(port)
      return changed.href
    },
    connections: () => pairs.size,
    delay(ms) {
      faults.delay_ms = ms
    },
    throttle(bytes_per_s) {
      faults.bytes_per_s = bytes_per_s
    },
    blackhole() {
      faults.gate = new Promise((resolve) => {
        open = resolve
      })
    },
    cut,
    refuse() {
      faults.refusing = true
      cut()
    },
    loseNextAnswer() {
      faults.losing = true
    },
    heal() {
      Object.assign(faults, clear())
      open()
    },
    async close() {
      open()
      cut()
      await new Promise((resolve) => listener.close(resolve))
    },
  }
}

function clear() {
  return { delay_ms: 0, bytes_per_s: Number.POSITIVE_INFINITY, refusing: false, losing: false }
}

/** Moves data one piece at a time, so that order stays and a slow receiver slows the sender down. */
async function pump(from: net.Socket, to: net.Socket, faults: Faults, onLost?: () => void): Promise<void> {
  from.setNoDelay(true)
  try {
    for await (const data of from as AsyncIterable<Buffer>) {
      if (onLost && faults.losing) {
        faults.losing = false
        onLost()
        return
      }
      const wait_ms = faults.delay_ms + (data.length / faults.bytes_per_s) * 1_000
      if (wait_ms > 0) await sleep(wait_ms)
      await faults.gate
      if (!to.write(data)) await once(to, 'drain')
    }
    await faults.gate
    to.end()
  } catch {
    // One side broke off: so does the other, which is what a client without proxy would see.
    to.destroy()
  }
}

function breakOff({ client, server }: Pair): void {
  client.resetAndDestroy()
  server.resetAndDestroy()
}
