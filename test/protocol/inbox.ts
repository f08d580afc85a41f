import type { Answer, Rpc } from './channels.ts'

/** No answer for so long is a hang: 5 s on a quiet machine, more where others work too. */
export const HANG_MS = 1_000 * Number(process.env['PROTOCOL_PATIENCE_S'] ?? 30)

/** What came on a shared stream of messages, handed to who waits for it. */
export class Inbox {
  readonly #byId = new Map<unknown, (answer: Answer) => void>()
  #next: ((answer: Answer) => void) | undefined
  /** Messages that nobody waited for. */
  readonly stray: string[] = []

  take(line: string): void {
    const message: Rpc = JSON.parse(line)
    if (message.jsonrpc !== '2.0') throw new Error(`not JSON-RPC: ${line.slice(0, 200)}`)
    const waiting = this.#byId.get(message.id) ?? this.#next
    if (this.#byId.has(message.id)) this.#byId.delete(message.id)
    else this.#next = undefined
    if (waiting) waiting({ messages: [message], text: line })
    else this.stray.push(line)
  }

  of(id: unknown): Promise<Answer> {
    return patiently(`id ${String(id)}`, (resolve) => this.#byId.set(id, resolve))
  }

  next(): Promise<Answer> {
    return patiently('the next message', (resolve) => {
      this.#next = resolve
    })
  }
}

function patiently(what: string, start: (resolve: (answer: Answer) => void) => void): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`${what}: no answer for ${HANG_MS} ms`)), HANG_MS)
    start((answer) => {
      clearTimeout(timer)
      resolve(answer)
    })
  })
}
