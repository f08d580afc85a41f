import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

/** Requests of one connection that are at work, or answered and not yet taken by their client, at a time. */
const MAX_OPEN = 8

/** Requests that waited behind others of their connection and start in one turn of the event loop, of all connections together. */
const STARTS_PER_TURN = 16

/** Requests that wait, of all connections together, about 5 KB each. Beyond it a connection that has more than a few is cut off. */
const MAX_WAITING = 10_000

interface Request {
  res: ServerResponse
  start: () => void
}

interface Connection {
  open: number
  /** Read and not started, oldest first. */
  waiting: Request[]
}

/**
 * Node starts every request of one read at once: some two hundred small ones, for each connection that has sent them. Here the first
 * of a connection starts at once and the others wait for a turn of the event loop, while their connection is not read any further:
 * who pipelines a thousand requests waits for itself, and an honest call goes in between. For callers that are known: a refusal is cheap
 * when made at once, while two thousand of the smallest requests fit in a read and would cost memory by waiting.
 */
export function pipelineLimit() {
  const connections = new WeakMap<Socket, Connection>()
  /** Connections whose next request may start: they take turns. */
  const ready = new Set<Connection>()
  let waiting = 0
  let turn: NodeJS.Immediate | undefined

  function begin(connection: Connection, { res, start }: Request): void {
    connection.open += 1
    res.once('close', () => {
      connection.open -= 1
      queue(connection)
    })
    start()
  }

  function queue(connection: Connection): void {
    if (connection.waiting.length > 0 && connection.open < MAX_OPEN) ready.add(connection)
    if (ready.size > 0 && turn === undefined) turn = setImmediate(startSome)
  }

  function wait(connection: Connection, request: Request): void {
    waiting += 1
    connection.waiting.push(request)
    request.res.req.socket.pause()
    queue(connection)
  }

  function startSome(): void {
    turn = undefined
    for (const connection of [...ready].slice(0, STARTS_PER_TURN)) {
      ready.delete(connection)
      const next = connection.waiting.shift()
      if (next === undefined) continue
      waiting -= 1
      if (connection.waiting.length === 0) next.res.req.socket.resume()
      begin(connection, next)
      queue(connection)
    }
  }

  function watch(socket: Socket): Connection {
    const connection: Connection = { open: 0, waiting: [] }
    connections.set(socket, connection)
    // Node reads on whenever a request's body is wanted, and a stream that is paused already does not stop again by being told to.
    socket.on('resume', () => {
      if (connection.waiting.length > 0) socket.pause().emit('pause')
    })
    socket.once('close', () => {
      waiting -= connection.waiting.length
      connection.waiting = []
      ready.delete(connection)
    })
    return connection
  }

  /** Settles as `start` does, which runs when it is this request's turn; never when its connection is gone by then. */
  return function inTurn(res: ServerResponse, start: () => Promise<void>): Promise<void> {
    const { socket } = res.req
    const connection = connections.get(socket) ?? watch(socket)
    return new Promise((resolve, reject) => {
      const request = { res, start: () => void start().then(resolve, reject) }
      if (connection.open === 0 && connection.waiting.length === 0) begin(connection, request)
      else if (waiting >= MAX_WAITING && connection.waiting.length >= MAX_OPEN) socket.destroy()
      else wait(connection, request)
    })
  }
}
