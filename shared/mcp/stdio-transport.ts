import type { Readable, Writable } from 'node:stream'
import { type JSONRPCMessage, parseJSONRPCMessage, type Transport } from '@modelcontextprotocol/server'
import { type StoryPortalError, toErrorBody } from '../errors/index.ts'
import { mcpErrors } from './errors.ts'
import { isDeeperThan } from './http-body.ts'
import { plainAnswer } from './protocol-words.ts'

const NEWLINE = 10
const MAX_TEXT_DEPTH = 1000
const PARSE_ERROR = -32700
const INVALID_REQUEST = -32600

/**
 * Newline-delimited JSON-RPC over two streams. Unlike the SDK's own transport it answers what it can't read: a broken line
 * gets -32700, a line that is no message -32600, and one over `maxBytes` is skipped to its end; the next line is served.
 */
export class LineTransport implements Transport {
  onclose?: () => void
  onerror?: (error: Error) => void
  onmessage?: (message: JSONRPCMessage) => void

  readonly #input: Readable
  readonly #output: Writable
  readonly #maxBytes: number
  #parts: Buffer[] = []
  #size = 0
  #skipping = false
  #closed = false

  constructor(input: Readable, output: Writable, maxBytes: number) {
    this.#input = input
    this.#output = output
    this.#maxBytes = maxBytes
  }

  async start(): Promise<void> {
    this.#input.on('data', this.#onData)
    this.#input.on('end', this.#onEnd)
    this.#input.on('close', this.#onEnd)
    this.#input.on('error', this.#onError)
    this.#output.on('error', this.#onError)
    if (this.#input.readableEnded || this.#input.destroyed) setImmediate(this.#onEnd)
  }

  async send(message: JSONRPCMessage): Promise<void> {
    await this.#write(JSON.stringify(plainAnswer(message)))
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    this.#input.off('data', this.#onData)
    this.#input.pause()
    this.onclose?.()
  }

  readonly #onData = (chunk: Buffer): void => {
    let start = 0
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, start)) {
      this.#append(chunk.subarray(start, end))
      this.#endLine()
      start = end + 1
    }
    this.#append(chunk.subarray(start))
  }

  readonly #onEnd = (): void => void this.close()

  readonly #onError = (error: Error): void => {
    // The client is gone (EPIPE) or its pipe broke: there is nobody to tell.
    this.onerror?.(error)
    void this.close()
  }

  #append(part: Buffer): void {
    this.#size += part.length
    if (this.#size > this.#maxBytes) {
      this.#skipping = true
      this.#parts = []
    } else if (part.length > 0) this.#parts.push(part)
  }

  #endLine(): void {
    const { skipping, bytes } = { skipping: this.#skipping, bytes: Buffer.concat(this.#parts) }
    this.#parts = []
    this.#size = 0
    this.#skipping = false
    if (skipping) this.#refuse(INVALID_REQUEST, null, mcpErrors.tooLarge({ limit_bytes: this.#maxBytes }))
    else this.#take(bytes)
  }

  #take(bytes: Buffer): void {
    const value = this.#parse(bytes)
    if (value === undefined) return
    const message = asMessage(value)
    if (message !== undefined) this.onmessage?.(message)
    else
      this.#refuse(INVALID_REQUEST, idOf(value), mcpErrors.notJson({ summary: 'the line is no JSON-RPC 2.0 message.' }))
  }

  #parse(bytes: Buffer): unknown {
    try {
      const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
      if (text.trim() === '') return undefined
      if (!isDeeperThan(text, MAX_TEXT_DEPTH)) return JSON.parse(text)
      this.#refuse(PARSE_ERROR, null, mcpErrors.tooDeep({ limit: MAX_TEXT_DEPTH }))
    } catch {
      this.#refuse(PARSE_ERROR, null, mcpErrors.notJson({ summary: 'the line is not JSON in UTF-8.' }))
    }
    return undefined
  }

  #refuse(code: number, id: string | number | null, error: StoryPortalError): void {
    const answer = { jsonrpc: '2.0', id, error: { code, message: error.message, data: toErrorBody(error) } }
    this.#write(JSON.stringify(answer)).catch((failure: Error) => this.onerror?.(failure))
  }

  #write(line: string): Promise<void> {
    if (this.#closed) return Promise.reject(new Error('the connection is closed'))
    return new Promise((resolve) => {
      if (this.#output.write(`${line}\n`)) resolve()
      else this.#output.once('drain', resolve)
    })
  }
}

function asMessage(value: unknown): JSONRPCMessage | undefined {
  try {
    return parseJSONRPCMessage(value)
  } catch {
    return undefined
  }
}

function idOf(value: unknown): string | number | null {
  const id = typeof value === 'object' && value !== null && 'id' in value ? value.id : null
  return typeof id === 'string' || Number.isSafeInteger(id) ? (id as string | number) : null
}
