import { Duplex } from 'node:stream'
import { frameLength } from './protocol.ts'

const SYNC = 0x53
const QUERY = 0x51
const TERMINATE = 0x58
const READY = 0x5a

export interface PortEvents {
  /** A whole request, ending in Sync or Query. */
  request(bytes: Uint8Array): void
  /** The server said something that does not end in ReadyForQuery: it has stopped. */
  stopped(): void
}

/**
 * The socket that `pg` believes to talk to. Requests are held together until they are whole, because the database thread
 * carries out what it gets at once; `pg` itself, its protocol parser and value types are the same as for a PostgreSQL.
 */
export class DatabasePort extends Duplex {
  readonly #events: PortEvents
  #held: Buffer[] = []
  #started = false

  constructor(events: PortEvents) {
    super()
    this.#events = events
  }

  connect(): void {
    queueMicrotask(() => this.emit('connect'))
  }

  setNoDelay(): void {}
  setKeepAlive(): void {}
  ref(): void {}
  unref(): void {}

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.#held.push(chunk)
    this.#flush()
    done()
  }

  override _writev(chunks: { chunk: Buffer }[], done: () => void): void {
    for (const { chunk } of chunks) this.#held.push(chunk)
    this.#flush()
    done()
  }

  #flush(): void {
    const bytes = this.#held.length === 1 && this.#held[0] ? this.#held[0] : Buffer.concat(this.#held)
    if (this.#started && !endsRequest(bytes)) {
      this.#held = [bytes]
      return
    }
    this.#held = []
    this.#started = true
    // Goodbye is between pg and us: PGlite closes through its own call.
    if (bytes[0] !== TERMINATE) this.#events.request(bytes)
  }

  /** What the database thread answered. */
  answer(bytes: Uint8Array): void {
    const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.push(buffer)
    if (buffer.length < 6 || buffer[buffer.length - 6] !== READY) this.#events.stopped()
  }
}

function endsRequest(bytes: Buffer): boolean {
  let at = 0
  let last = 0
  while (at < bytes.length) {
    last = bytes[at] ?? 0
    at += frameLength(bytes, at)
  }
  return at === bytes.length && (last === SYNC || last === QUERY || last === TERMINATE)
}
