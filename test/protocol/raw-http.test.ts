import { connect } from 'node:net'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { manifests } from '../e2e/under-test.ts'
import { HANG_MS } from './inbox.ts'
import { type PlatformProcess, startPlatformProcess } from './platform-process.ts'

/** Bytes that are no HTTP, or HTTP that lies about itself, on every server: answered or cut, never a crash or a hang. */
let platform: PlatformProcess

beforeAll(async () => {
  platform = await startPlatformProcess()
})
afterAll(() => platform.close())

const LIST = JSON.stringify({ jsonrpc: '2.0', id: 'c', method: 'tools/list', params: {} })
const TYPES = 'content-type: application/json\r\naccept: application/json, text/event-stream\r\n'

function head(more = '', line = 'POST /mcp HTTP/1.1'): string {
  return `${line}\r\nhost: 127.0.0.1\r\nauthorization: Bearer ${platform.token}\r\n${TYPES}${more}\r\n`
}

const length = (body: string) => `content-length: ${Buffer.byteLength(body)}\r\n`
const CLOSE = 'connection: close\r\n'
const CHUNKED = 'transfer-encoding: chunked\r\n'

/** The bytes, and the status the first answer must have; undefined when none may come. */
const cases: [string, () => string | Buffer, number[] | undefined][] = [
  ['no HTTP', () => 'hello\r\n\r\n', [400]],
  ['random bytes', () => Buffer.from(Array.from({ length: 4_000 }, (_, i) => (i * 7919) % 256)), [400]],
  ['a TLS hello', () => Buffer.from('16030100c8010000c40303', 'hex'), [400]],
  ['an HTTP/2 preface', () => 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', [400]],
  ['HTTP/0.9', () => 'GET /health/live\r\n\r\n', [400, 403]],
  ['HTTP/9.9', () => head('', 'POST /mcp HTTP/9.9'), [400]],
  ['a method of junk', () => head('', 'FETCH /mcp HTTP/1.1'), [400]],
  ['TRACE', () => head(CLOSE, 'TRACE /mcp HTTP/1.1'), [405]],
  ['CONNECT', () => head(CLOSE, 'CONNECT /mcp HTTP/1.1'), undefined],
  ['a path with a raw NUL', () => head('', 'POST /m\0cp HTTP/1.1'), [400]],
  ['a path of 60 KB', () => head('', `POST /${'x'.repeat(60_000)} HTTP/1.1`), [431]],
  ['a path outside', () => head(CLOSE, 'GET /../../etc/passwd HTTP/1.1'), [404]],
  ['no Host', () => `POST /mcp HTTP/1.1\r\n${TYPES}\r\n`, [400]],
  ['two Hosts', () => head('host: evil.example\r\n'), [400, 403]],
  ['a header of 64 KB', () => head(`x-long: ${'y'.repeat(65_536)}\r\n`), [431]],
  ['5,000 headers', () => head(Array.from({ length: 5_000 }, (_, i) => `x-${i}: y\r\n`).join('')), [431]],
  ['a header without a colon', () => head('nonsense\r\n'), [400]],
  ['a NUL in a header', () => head('x-a: b\0c\r\n'), [400]],
  ['two lengths', () => head(`content-length: 5\r\ncontent-length: 6\r\n`) + LIST, [400]],
  ['length and chunks', () => head(`${length(LIST)}${CHUNKED}`) + LIST, [400]],
  ['a negative length', () => head('content-length: -1\r\n') + LIST, [400]],
  ['a length of text', () => head('content-length: abc\r\n') + LIST, [400]],
  ['a length beyond all numbers', () => head('content-length: 99999999999999999999999\r\n') + LIST, [400]],
  ['a length of 10 GB', () => head('content-length: 10000000000\r\n') + LIST, [413]],
  ['an unknown transfer encoding', () => head('transfer-encoding: bogus\r\n') + LIST, [400, 501]],
  ['a chunk longer than said', () => `${head(CHUNKED)}5\r\n${LIST}\r\n0\r\n\r\n`, [400]],
  ['a chunk size of junk', () => `${head(CHUNKED)}zz\r\n${LIST}\r\n0\r\n\r\n`, [400]],
  ['a chunk size beyond all numbers', () => `${head(CHUNKED)}ffffffffffffffffff\r\n${LIST}\r\n`, [400]],
  ['less than the length', () => head('content-length: 5000\r\n') + LIST, [400]],
  ['an unknown expectation', () => head(`expect: miracles\r\n${length(LIST)}${CLOSE}`) + LIST, [417]],
  ['a gzip bomb', bomb, [415]],
  ['an upgrade', () => head(`connection: upgrade\r\nupgrade: websocket\r\n${length(LIST)}`) + LIST, [200, 400]],
  ['trailing garbage', () => `${head(length(LIST))}${LIST}and more\r\n\r\n`, [200, 400]],
]

/** 100 MB of zeros in 100 KB. */
function bomb(): Buffer {
  const packed = gzipSync(Buffer.alloc(100_000_000))
  return Buffer.concat([Buffer.from(head(`content-encoding: gzip\r\ncontent-length: ${packed.length}\r\n`)), packed])
}

describe.each(manifests().map(({ name }) => name))('%s', (server) => {
  test('answers or cuts what is no honest HTTP, and serves the next', async () => {
    for (const [name, bytes, statuses] of cases) {
      const answer = await exchange(platform.port(server), bytes())
      const status = /^HTTP\/1\.1 (\d+)/.exec(answer)?.[1]
      const said = `${name}: ${answer.slice(0, 300)}`
      if (statuses) expect(statuses, said).toContain(Number(status))
      else expect(status, said).toBeUndefined()
      expect(await exchange(platform.port(server), head(`${length(LIST)}${CLOSE}`) + LIST), name).toContain('"tools":[')
    }
    expect(platform.exitCode()).toBeUndefined()
    expect(platform.stderr()).toBe('')
  })

  test('answers pipelined requests each with its id, in order', async () => {
    const body = (id: number) => LIST.replace('"c"', String(id))
    const ids = Array.from({ length: 100 }, (_, i) => i)
    const all = ids.map((id) => head(length(body(id)) + (id === 99 ? CLOSE : '')) + body(id)).join('')
    const answer = await exchange(platform.port(server), all)
    expect([...answer.matchAll(/"jsonrpc":"2\.0","id":(\d+)/g)].map(([, id]) => Number(id))).toEqual(ids)
  })
})

/** Sends, ends its own half, and takes everything until the server closes. */
function exchange(port: number, bytes: string | Buffer): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
    const timer = setTimeout(() => reject(new Error(`not closed for ${HANG_MS} ms`)), HANG_MS)
    let text = ''
    socket.setEncoding('utf8').on('data', (piece: string) => {
      text += piece
      // Served, and kept open for the next request: what was to be seen is here.
      if (/^HTTP\/1\.1 200/.test(text) && text.includes('"jsonrpc"') && !text.includes('onnection: close')) socket.end()
    })
    // A reset after the answer is how unread bytes are refused.
    socket.on('error', () => {})
    socket.on('close', () => {
      clearTimeout(timer)
      resolve(text)
    })
    socket.on('end', () => socket.end())
    socket.write(bytes)
    if (!bytes.includes('content-length: 10000000000')) socket.end()
  })
}
