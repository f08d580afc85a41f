import type { IncomingMessage } from 'node:http'
import { mcpErrors } from './errors.ts'

/** JSON text nested deeper than this is refused unparsed: no message of the protocol needs it, and walking it costs. */
const MAX_TEXT_DEPTH = 1000

/**
 * Reads a body of at most `maxBytes` of well-formed UTF-8. What is too large is refused by its Content-Length before a byte is
 * read, or as soon as the limit is passed; compressed bodies are refused, because their real size is not known beforehand.
 */
export async function readBody(req: IncomingMessage, maxBytes: number): Promise<string> {
  const encoding = req.headers['content-encoding']
  if (encoding !== undefined && encoding !== 'identity') {
    throw mcpErrors.compressed()
  }
  if (Number(req.headers['content-length'] ?? 0) > maxBytes) throw mcpErrors.tooLarge({ limit_bytes: maxBytes })
  const text = decode(await collect(req, maxBytes))
  if (isDeeperThan(text, MAX_TEXT_DEPTH)) throw mcpErrors.tooDeep({ limit: MAX_TEXT_DEPTH })
  return text
}

/** By events: the request's async iterator costs more than the rest of reading a small body. */
function collect(req: IncomingMessage, maxBytes: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let size = 0
    const take = (chunk: Buffer): void => {
      size += chunk.length
      if (size <= maxBytes) return void chunks.push(chunk)
      // Nothing more is read; the refusal closes the connection.
      req.off('data', take).pause()
      reject(mcpErrors.tooLarge({ limit_bytes: maxBytes }))
    }
    req.on('data', take)
    req.once('end', () => resolve(chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks)))
    req.once('error', reject)
    req.once('close', () => reject(new Error('the request was cut off')))
  })
}

const decoder = new TextDecoder('utf-8', { fatal: true })

function decode(bytes: Buffer): string {
  try {
    return decoder.decode(bytes)
  } catch {
    throw mcpErrors.notJson({ summary: 'the body is not valid UTF-8.' })
  }
}

/** Counts brackets outside strings; cheap enough to run on every body. */
export function isDeeperThan(text: string, limit: number): boolean {
  let depth = 0
  for (let i = 0; i < text.length; i += 1) {
    const code = text.charCodeAt(i)
    if (code === QUOTE) i = endOfString(text, i)
    else if (code === OPEN_BRACE || code === OPEN_BRACKET) depth += 1
    else if (code === CLOSE_BRACE || code === CLOSE_BRACKET) depth -= 1
    if (depth > limit) return true
  }
  return false
}

/** The index of the closing quote, or the end of the text. */
function endOfString(text: string, start: number): number {
  let end = text.indexOf('"', start + 1)
  while (end > 0 && isEscaped(text, end)) end = text.indexOf('"', end + 1)
  return end < 0 ? text.length : end
}

function isEscaped(text: string, index: number): boolean {
  let backslashes = 0
  while (text.charCodeAt(index - 1 - backslashes) === BACKSLASH) backslashes += 1
  return backslashes % 2 === 1
}

const QUOTE = 34
const BACKSLASH = 92
const OPEN_BRACKET = 91
const CLOSE_BRACKET = 93
const OPEN_BRACE = 123
const CLOSE_BRACE = 125
