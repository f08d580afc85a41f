import { get } from 'node:http'
import { type Channel, clientHeaders, post, rpc } from './channels.ts'
import { Inbox } from './inbox.ts'
import type { PlatformProcess } from './platform-process.ts'
import { HELLO } from './stdio-channel.ts'

/** The HTTP+SSE transport of 2024: one stream of answers, messages by POST. */
export async function sseChannel(platform: PlatformProcess, server: string): Promise<Channel> {
  const port = platform.port(server)
  const headers = clientHeaders(platform)
  const inbox = new Inbox()
  const { endpoint, end } = await openStream(platform, server, (line) => inbox.take(line))
  const send = (body: string | Buffer, more: Record<string, string> = {}) =>
    post({ port, path: endpoint, headers: { ...headers, ...more }, body })
  const channel: Channel = {
    name: 'HTTP+SSE',
    era: 'legacy',
    async next(bytes, { headers: more = {}, expectsMessage = true } = {}) {
      const answer = inbox.next()
      answer.catch(() => {})
      const { status, text } = await send(bytes, more)
      if (status === 202) return expectsMessage ? { ...(await answer), status } : { status, messages: [], text }
      return { status, text, messages: text.startsWith('{') ? [JSON.parse(text)] : [] }
    },
    async ask(message) {
      const answer = inbox.of(message.id)
      const { status, text } = await send(JSON.stringify(message))
      if (status !== 202) throw new Error(`POST answered ${status}: ${text}`)
      return { ...(await answer), status }
    },
    close: async () => end(),
  }
  await channel.ask(rpc('legacy', 'hello', 'initialize', HELLO))
  return channel
}

/** The stream and the address that its first event names. */
export function openStream(
  platform: PlatformProcess,
  server: string,
  onMessage: (line: string) => void,
): Promise<{ endpoint: string; end(): void }> {
  return new Promise((resolve, reject) => {
    const options = { port: platform.port(server), host: '127.0.0.1', path: '/sse', headers: clientHeaders(platform) }
    const req = get({ ...options, agent: false }, (res) => {
      if (res.statusCode !== 200) reject(new Error(`GET /sse answered ${res.statusCode}`))
      const onEvent = (name: string, data: string) =>
        name === 'endpoint' ? resolve({ endpoint: data, end: () => req.destroy() }) : onMessage(data)
      res.setEncoding('utf8').on('data', eventReader(onEvent))
      res.on('error', () => {})
    })
    req.on('error', reject)
  })
}

/** Takes an event stream in any pieces. */
function eventReader(onEvent: (name: string, data: string) => void): (piece: string) => void {
  let text = ''
  return (piece) => {
    const events = (text + piece).split('\n\n')
    text = events.pop() ?? ''
    for (const event of events) {
      const [, name, data] = /^event: (\w+)\ndata: (.*)$/m.exec(event) ?? []
      if (name !== undefined && data !== undefined) onEvent(name, data)
    }
  }
}
