import { connect, type Socket } from 'node:net'

export interface LoadOptions {
  port: number
  /** One whole HTTP request, sent as it is. */
  request: string
  requests: number
  connections: number
}

/**
 * Sends the request so many times over a few kept connections, one at a time on each, and resolves once all are answered with 200.
 * Made of sockets, so that what sends the load costs less than what is measured.
 */
export async function httpLoad({ port, request, requests, connections }: LoadOptions): Promise<void> {
  let left = requests
  const work = async () => {
    const socket = connect(port, '127.0.0.1').setNoDelay()
    try {
      while (left-- > 0) await exchange(socket, request)
    } finally {
      socket.destroy()
    }
  }
  await Promise.all(Array.from({ length: connections }, work))
}

function exchange(socket: Socket, request: string): Promise<void> {
  return new Promise((resolve, reject) => {
    let text = ''
    const done = (error?: Error) => {
      socket.removeAllListeners()
      if (error) reject(error)
      else resolve()
    }
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1')
      if (!isComplete(text)) return
      done(text.startsWith('HTTP/1.1 200') ? undefined : new Error(`answered ${text.slice(0, 300)}`))
    })
    socket.once('error', done)
    socket.once('close', () => done(new Error('the connection was closed')))
    socket.write(request)
  })
}

function isComplete(text: string): boolean {
  const end = text.indexOf('\r\n\r\n')
  if (end < 0) return false
  const length = /\r\ncontent-length: (\d+)/i.exec(text.slice(0, end))?.[1]
  return length === undefined ? text.endsWith('\r\n0\r\n\r\n') : text.length - end - 4 >= Number(length)
}
