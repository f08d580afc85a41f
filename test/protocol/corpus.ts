import { type Answer, ENVELOPE, type Era, headersFor, type Rpc, rpc } from './channels.ts'

/** How an answer must look; a case names one for all transports, and what differs. */
export type Verdict = 'parse' | 'invalid' | 'method' | 'params' | 'arguments' | 'too_large' | 'silent' | 'served'

export interface Case {
  name: string
  bytes: string | Buffer
  verdict: Verdict
  headers: Record<string, string>
  /** Statuses of HTTP that differ from those of the verdict. */
  http?: number[]
  /** Only over Streamable HTTP: headers are the fault. */
  httpOnly?: boolean
}

/** Codes of JSON-RPC per verdict; `arguments` is a result that says so. */
export const CODES: Record<Verdict, number[]> = {
  parse: [-32700],
  invalid: [-32600],
  method: [-32601],
  params: [-32602],
  arguments: [],
  too_large: [-32600],
  silent: [],
  served: [],
}

const STATUSES: Record<Verdict, number[]> = {
  parse: [400],
  invalid: [400],
  method: [200, 404],
  params: [200, 400],
  arguments: [200],
  too_large: [413],
  silent: [202],
  served: [200],
}

export function statusesOf({ verdict, http }: Case): number[] {
  return http ?? STATUSES[verdict]
}

const deep = (depth: number, inside = '1') => '['.repeat(depth) + inside + ']'.repeat(depth)
const manyKeys = (count: number) => `{${Array.from({ length: count }, (_, i) => `"${i.toString(36)}":1`).join(',')}}`

/** Malformed messages by hand, on `tool`, which reads and wants no argument. */
export function corpus(era: Era, tool: string): Case[] {
  const good = (id: unknown = 'c'): Rpc => rpc(era, id, 'tools/call', { name: tool, arguments: {} })
  const text = JSON.stringify(good())
  const base = headersFor(era, good())
  const raw = (name: string, bytes: string | Buffer, verdict: Verdict, more: Partial<Case> = {}): Case => ({
    name,
    bytes,
    verdict,
    headers: base,
    ...more,
  })
  const message = (name: string, value: Rpc, verdict: Verdict, more: Partial<Case> = {}): Case =>
    raw(name, JSON.stringify(value), verdict, { headers: headersFor(era, value), ...more })
  const call = (params: object): Rpc => rpc(era, 'c', 'tools/call', params)
  const args = (json: string) => text.replace('"arguments":{}', `"arguments":${json}`)
  return [
    ...brokenText(raw, text),
    ...brokenShapes({ raw, message, good, era }),
    message('unknown method', rpc(era, 'c', 'tools/destroy'), 'method'),
    message('method __proto__', rpc(era, 'c', '__proto__'), 'method'),
    message('method constructor', rpc(era, 'c', 'constructor'), 'method'),
    message('a notification sent as a request', rpc(era, 'c', 'notifications/cancelled', { requestId: 1 }), 'method'),
    message('no name', call({}), 'params'),
    message('number for a name', call({ name: 5 }), 'params'),
    message('object for a name', call({ name: { a: 1 } }), 'params', { headers: { ...base, 'mcp-name': 'x' } }),
    message('unknown tool', call({ name: 'no_such_tool' }), 'params'),
    message('tool __proto__', call({ name: '__proto__' }), 'params'),
    message('tool constructor', call({ name: 'constructor' }), 'params'),
    message('a name of 8,000 characters', call({ name: 'x'.repeat(8_000) }), 'params'),
    ...['[]', '"x"', '7', 'null', 'true'].map((json) => raw(`${json} for arguments`, args(json), 'params')),
    message('number for a cursor', rpc(era, 'c', 'tools/list', { cursor: 7 }), 'params'),
    raw('constructor among the arguments', args('{"constructor":{"prototype":{"polluted":1}}}'), 'arguments'),
    raw('a key of 10,000 characters', args(`{"${'k'.repeat(10_000)}":1}`), 'arguments'),
    raw('900 levels of arguments', args(`{"a":${deep(900)}}`), 'arguments'),
    raw('100,000 keys', args(manyKeys(100_000)), 'arguments'),
    raw('a key with a lone surrogate', args('{"\\ud800":1}'), 'arguments'),
    raw('a key with NUL', args('{"\\u0000":1}'), 'arguments'),
    raw('a huge number', args('{"x":1e999}'), 'arguments'),
    raw('__proto__ among the arguments', args('{"__proto__":{"polluted":1}}'), 'served'),
    raw('the same key twice', text.replace('"id":"c"', '"id":"b","id":"c"'), 'served'),
    ...silent(era, message),
  ]
}

type Raw = (name: string, bytes: string | Buffer, verdict: Verdict, more?: Partial<Case>) => Case
type Message = (name: string, value: Rpc, verdict: Verdict, more?: Partial<Case>) => Case

function brokenText(raw: Raw, text: string): Case[] {
  return [
    raw('cut JSON', text.slice(0, text.length / 2), 'parse'),
    raw('one brace too few', text.slice(0, -1), 'parse'),
    raw('trailing garbage', `${text}x`, 'parse'),
    raw('two messages in one', text + text, 'parse'),
    raw('no JSON', 'hello', 'parse'),
    raw('single quotes', text.replaceAll('"', "'"), 'parse'),
    raw('NaN', text.replace('"c"', 'NaN'), 'parse'),
    raw('a comment', `/**/${text}`, 'parse'),
    raw('a raw control character', text.replace('"c"', '"c\u0001"'), 'parse'),
    raw('raw NUL', text.replace('"c"', '"c\0"'), 'parse'),
    raw('not UTF-8', Buffer.from([0x22, 0xff, 0xfe, 0x22]), 'parse'),
    raw('overlong UTF-8', Buffer.concat([Buffer.from('"'), Buffer.from([0xc0, 0xaf]), Buffer.from('"')]), 'parse'),
    raw(
      'a surrogate in UTF-8',
      Buffer.concat([Buffer.from('"'), Buffer.from([0xed, 0xa0, 0x80]), Buffer.from('"')]),
      'parse',
    ),
    raw('UTF-16', Buffer.from(text, 'utf16le'), 'parse'),
    raw('10,000 deep', deep(10_000), 'parse'),
    raw('500,000 open brackets', '['.repeat(500_000), 'parse'),
    raw('100,000 keys for a message', manyKeys(100_000), 'invalid'),
    raw('oversized', `"${'x'.repeat(1_200_000)}"`, 'too_large'),
    raw('a byte order mark', `\ufeff${text}`, 'served'),
  ]
}

interface Shapes {
  raw: Raw
  message: Message
  good(id?: unknown): Rpc
  era: Era
}

function brokenShapes({ raw, message, good, era }: Shapes): Case[] {
  const ids = [null, 1.5, 1e300, 2 ** 53, -1.5, true, {}, [], ['a']]
  return [
    ...['42', '"x"', 'null', 'true', '{}', '[1]', '[[]]', '[]'].map((json) =>
      raw(`${json} for a message`, json, 'invalid'),
    ),
    // Older clients may batch over HTTP: 2025-03-26 has it.
    raw('a batch of two', JSON.stringify([good('x'), { jsonrpc: '1.0' }]), 'invalid'),
    raw('a batch of 10,000', JSON.stringify(Array.from({ length: 10_000 }, () => 1)), 'invalid'),
    message('version 1.0', { ...good(), jsonrpc: '1.0' }, 'invalid'),
    message('version 2', { ...good(), jsonrpc: 2 }, 'invalid'),
    message('no version', { ...good(), jsonrpc: undefined }, 'invalid'),
    ...ids.map((id) => message(`id ${JSON.stringify(id)}`, good(id), 'invalid')),
    ...[7, null, {}, ['tools/call']].map((method) =>
      message(`method ${JSON.stringify(method)}`, { ...good(), method }, 'invalid'),
    ),
    message('no method', { ...good(), method: undefined }, 'invalid'),
    ...[[], 'x', 7].map((params) => message(`params ${JSON.stringify(params)}`, { ...good(), params }, 'invalid')),
    message('_meta of text', { ...good(), params: { ...good().params, _meta: 'x' } }, 'invalid'),
    ...[{}, [], true, null].map((progressToken) =>
      message(
        `progress token ${JSON.stringify(progressToken)}`,
        { ...good(), params: { ...good().params, _meta: { ...(era === 'modern' ? ENVELOPE : {}), progressToken } } },
        'invalid',
      ),
    ),
    message(
      'result and error at once',
      { jsonrpc: '2.0', id: 'c', result: {}, error: { code: 1, message: 'x' } },
      'invalid',
    ),
  ]
}

function silent(era: Era, message: Message): Case[] {
  const notification = (method: string, params: object) => {
    const { id: _id, ...rest } = rpc(era, 0, method, params)
    return rest
  }
  return [
    message('a cancellation of nothing', notification('notifications/cancelled', { requestId: 'never' }), 'silent'),
    message('a cancellation of an object', notification('notifications/cancelled', { requestId: {} }), 'silent'),
    message('an unknown notification', notification('notifications/unknown', {}), 'silent'),
    message(
      'progress of nothing',
      notification('notifications/progress', { progressToken: 'none', progress: 1 }),
      'silent',
    ),
  ]
}

/** A good message under headers that are wrong. */
export function headerCorpus(era: Era, tool: string): Case[] {
  const good = rpc(era, 'c', 'tools/call', { name: tool, arguments: {} })
  const right = headersFor(era, good)
  const wrong = (name: string, headers: Record<string, string>, http: number[], verdict: Verdict = 'invalid'): Case => {
    const kept = { ...right, ...headers }
    for (const [key, value] of Object.entries(headers)) if (value === '') delete kept[key]
    return { name, bytes: JSON.stringify(good), verdict, headers: kept, http, httpOnly: true }
  }
  return [
    wrong('text/plain', { 'content-type': 'text/plain' }, [415]),
    wrong('a form', { 'content-type': 'application/x-www-form-urlencoded' }, [415]),
    wrong('no content type', { 'content-type': 'x' }, [415]),
    wrong('gzip', { 'content-encoding': 'gzip' }, [400, 415]),
    wrong('several encodings', { 'content-encoding': 'gzip, br' }, [400, 415]),
    wrong('an unknown protocol version', { 'mcp-protocol-version': '1999-01-01' }, [400]),
    wrong('a protocol version of junk', { 'mcp-protocol-version': '__proto__' }, [400]),
    ...(era === 'legacy'
      ? [
          wrong('accepts HTML only', { accept: 'text/html' }, [406]),
          wrong('accepts JSON only', { accept: 'application/json' }, [406]),
        ]
      : [
          wrong('no Mcp-Method', { 'mcp-method': '' }, [400]),
          wrong('another Mcp-Method', { 'mcp-method': 'tools/list' }, [400]),
          wrong('no Mcp-Name', { 'mcp-name': '' }, [400]),
          wrong('another Mcp-Name', { 'mcp-name': 'create_goal' }, [400]),
          wrong('no version header', { 'mcp-protocol-version': '' }, [400]),
          wrong('an older version header', { 'mcp-protocol-version': '2025-06-18' }, [400]),
        ]),
  ]
}

/** Envelopes of 2026-07-28 that are wrong: the newer era only. */
export function envelopeCorpus(tool: string): Case[] {
  const key = (name: string) => `io.modelcontextprotocol/${name}`
  const broken: [string, object][] = [
    ['a number for the version', { [key('protocolVersion')]: 5 }],
    ['text for the capabilities', { [key('clientCapabilities')]: 'x' }],
    ['a number for a capability', { [key('clientCapabilities')]: { elicitation: 5 } }],
    ['a number for the client', { [key('clientInfo')]: 5 }],
    ['a client without a name', { [key('clientInfo')]: { version: 1 } }],
  ]
  return broken.map(([name, change]) => {
    const message = rpc('modern', 'c', 'tools/call', { name: tool, arguments: {} })
    message.params._meta = { ...ENVELOPE, ...change }
    return {
      name,
      bytes: JSON.stringify(message),
      verdict: 'params',
      headers: headersFor('modern', message),
      http: [400],
    }
  })
}

/** Text of others that must not reach a caller: a validator's, an engine's, a driver's, a stack. */
export const FOREIGN_WORDS =
  /Invalid input|expected \w+, received|invalid_type|ZodError|Unexpected (token|end)|in JSON at position|SyntaxError|TypeError|RangeError|Maximum call stack|node_modules|\bat .*\.[cm]?[jt]s:\d+|ECONN|syntax error at|duplicate key/

export function codeOf(answer: Answer): number | undefined {
  return answer.messages[0]?.error?.code
}
