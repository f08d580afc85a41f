import { cacheErrors } from './errors.ts'
import type { CacheLog, EventBus } from './types.ts'

/** PostgreSQL's NOTIFY takes 8,000 bytes with everything; one limit on every adapter, so that none is found out in production. */
export const MAX_MESSAGE_BYTES = 7_000

type Handler = (message: unknown) => void | Promise<void>

/** How texts travel between processes. `receive` is called with what arrives, in the sending process too. */
export interface Transport {
  /** Resolves false when it could not be sent. */
  send(channel: string, text: string): Promise<boolean>
  /** Begins to deliver one channel; called once per channel until `close` of it. */
  open(channel: string, receive: (text: string) => void): Promise<() => Promise<void>>
}

interface Channel {
  handlers: Set<Handler>
  close: Promise<() => Promise<void>>
}

/** The part every bus shares: names and sizes are checked, handlers are kept, their errors are logged. */
export function eventBus(transport: Transport, log: CacheLog): EventBus & { close(): Promise<void> } {
  const channels = new Map<string, Channel>()

  async function handle(handler: Handler, channel: string, text: string): Promise<void> {
    try {
      await handler(JSON.parse(text))
    } catch (error) {
      log.warn({ channel, err: error }, 'a handler of the event bus failed')
    }
  }

  function deliver(channel: string, text: string): void {
    for (const handler of channels.get(channel)?.handlers ?? []) void handle(handler, channel, text)
  }

  function join(channel: string): Channel {
    const known = channels.get(channel)
    if (known) return known
    const opened: Channel = { handlers: new Set(), close: transport.open(channel, (text) => deliver(channel, text)) }
    channels.set(channel, opened)
    return opened
  }

  return {
    async publish(channel, message) {
      checkName(channel)
      const text = JSON.stringify(message)
      const bytes = Buffer.byteLength(text)
      if (bytes > MAX_MESSAGE_BYTES) throw cacheErrors.messageTooLarge({ bytes, limit: MAX_MESSAGE_BYTES })
      if (!(await transport.send(channel, text))) deliver(channel, text)
    },
    async subscribe(channel, handler) {
      checkName(channel)
      const joined = join(channel)
      // The same function may subscribe twice; each subscription is its own.
      const own: Handler = (message) => handler(message)
      joined.handlers.add(own)
      await joined.close
      return async () => {
        joined.handlers.delete(own)
        if (joined.handlers.size > 0 || channels.get(channel) !== joined) return
        channels.delete(channel)
        await (await joined.close)()
      }
    },
    async close() {
      const open = [...channels.values()]
      channels.clear()
      await Promise.all(open.map(async (channel) => (await channel.close)()))
    },
  }
}

function checkName(channel: string): void {
  if (!/^[a-z][a-z0-9_.:-]{0,49}$/.test(channel)) throw cacheErrors.badChannel({ channel })
}

/** For one process alone: nothing to send to, so everything is delivered here. */
export const localTransport: Transport = {
  send: async () => false,
  open: async () => async () => {},
}
