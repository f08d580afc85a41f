import type { Case } from './exchange.ts'
import { headerCases, mixed, others } from './http-cases.ts'
import {
  CAPS,
  call,
  type Era,
  envelope,
  type Fields,
  INFO,
  LEVEL,
  list,
  raw,
  read,
  send,
  V,
  withMeta,
} from './messages.ts'
import { ODD_RESULTS } from './request-reader.ts'

const ERAS: readonly Era[] = ['modern', 'legacy']

const ODD_VALUES: readonly unknown[] = [null, true, 0, -1, 1.5, '', 'x', [], [1], {}, { a: 1 }, ['x', {}]]
/** As JSON text, for what is not the same once parsed and written again. */
const ODD_JSON = ['1e2', '-0', '1.0', '9007199254740993', '1e400', '{"__proto__":{"x":1}}', '"\\ud800"', '"\\u0000"']

function results(era: Era): Case[] {
  return Object.keys(ODD_RESULTS).map((shape) =>
    send(`result ${shape}`, era, call(era, { name: 'answer_oddly', arguments: { shape } })),
  )
}

/** A result that asks a person, to clients of which each says otherwise what it can be asked. */
function asked(): Case[] {
  const said: unknown[] = [undefined, {}, { form: {} }, { url: {} }, { form: {}, url: {} }, 'yes', null]
  return said.map((elicitation) => {
    const sent = call('modern', { name: 'answer_oddly', arguments: { shape: 'parked' } })
    const caps = elicitation === undefined ? {} : { elicitation }
    return send(`asked ${JSON.stringify(elicitation)}`, 'modern', withMeta(sent, envelope({ [CAPS]: caps })))
  })
}

function ids(era: Era): Case[] {
  const good = ['a', '', '0', 'ä"\\\n\u2028', '😀', 'x'.repeat(3000), 0, -5, Number.MAX_SAFE_INTEGER, '__proto__']
  const values = [...good, ...ODD_VALUES].flatMap((id) => [
    send(`id ${JSON.stringify(id).slice(0, 30)}`, era, { ...read(era), id }),
    send(`list id ${JSON.stringify(id).slice(0, 30)}`, era, { ...list(era), id }),
  ])
  const written = ODD_JSON.map((json) => raw(`id written ${json}`, era, { ...read(era), id: '@' }, json))
  const { id: _, ...none } = read(era)
  return [...values, ...written, send('no id', era, none)]
}

function names(era: Era): Case[] {
  const known = ['see_request', 'tell_progress', 'write_once', 'constructor', 'in_transaction', 'admin_only']
  const unknown = ['', 'nobody', '__proto__', 'toString', 'hasOwnProperty', 'READ_REQUEST', ' read_request', 'ä', 'a.b']
  const named = [...known, ...unknown].map((name) => send(`tool ${name}`, era, call(era, { name, arguments: {} })))
  const odd = ODD_VALUES.map((name) => send(`name ${JSON.stringify(name)}`, era, call(era, { name, arguments: {} })))
  return [...named, ...odd, send('no name', era, call(era, { arguments: {} }))]
}

function argumentCases(era: Era): Case[] {
  const parsed: Fields[] = [
    {},
    { value: 1 },
    { value: 1, number: 'x' },
    { value: 1, numbr: 3 },
    { value: 1, number: -1 },
    { value: 1, text: 'x'.repeat(51) },
    { value: 1, nested: { list: [1, 2.5], x: 1 } },
    { value: { deep: { er: [[[[]]]] } } },
    { value: 'x'.repeat(200_000) },
    { value: 1, constructor: 1, toString: 2 },
    { idempotency_key: 'k' },
  ]
  const cases = [...parsed, ...ODD_VALUES].map((args) =>
    send(`arguments ${JSON.stringify(args).slice(0, 40)}`, era, read(era, args)),
  )
  const written = [...ODD_JSON, `${'['.repeat(100)}${']'.repeat(100)}`, '{"a":1,"a":2}', '{"toJSON":1}'].flatMap(
    (json) => [
      raw(`arguments written ${json.slice(0, 40)}`, era, read(era, '@'), json),
      raw(`argument written ${json.slice(0, 40)}`, era, read(era, { value: '@' }), json),
    ],
  )
  const own = '{"value":1,"__proto__":{"x":1}}'
  const keys = [{ tag: 't' }, { tag: 't', idempotency_key: 'k' }, { tag: 't', idempotency_key: '' }]
  return [
    ...cases,
    ...written,
    raw('own __proto__ among the arguments', era, read(era, '@'), own),
    send('no arguments', era, call(era, { name: 'read_request' })),
    ...keys.map((args) => send(`key ${args.idempotency_key}`, era, call(era, { name: 'write_once', arguments: args }))),
  ]
}

function fields(era: Era): Case[] {
  const top = ['jsonrpc', 'method', 'params'].flatMap((key) =>
    [...ODD_VALUES, undefined, '1.0', 'tools/call '].map((value) =>
      send(`${key} ${JSON.stringify(value)}`, era, { ...read(era), [key]: value }),
    ),
  )
  const extra = ['result', 'error', 'extra', 'sessionId'].map((key) =>
    send(`message with ${key}`, era, { ...read(era), [key]: { a: 1 } }),
  )
  const params = ['task', 'requestState', 'inputResponses', 'cursor', 'extra', 'progressToken'].flatMap((key) =>
    [{ ttl: 1 }, { ttl: 'x' }, 'state', 5, null].flatMap((value) =>
      [read(era), list(era)].map((body) =>
        send(`${body['method']} params.${key} ${JSON.stringify(value)}`, era, {
          ...body,
          params: { ...(body['params'] as Fields), [key]: value },
        }),
      ),
    ),
  )
  const { params: _, ...bare } = list(era)
  const lists = ODD_VALUES.map((value) => send(`list params ${JSON.stringify(value)}`, era, { ...bare, params: value }))
  return [...top, ...extra, ...params, ...lists, send('list without params', era, bare), send('list', era, list(era))]
}

function metas(era: Era): Case[] {
  const own = era === 'modern' ? envelope() : {}
  const parts: Fields = {
    [V]: ['2026-07-28', '2027-01-01', '2025-11-25', '', 1, null],
    [CAPS]: [
      {},
      { elicitation: {} },
      { roots: { listChanged: true } },
      { roots: 1 },
      { experimental: { x: { y: null } } },
      { extra: { x: 1 } },
      null,
      [],
    ],
    [INFO]: [
      { name: 'x'.repeat(100), version: '1' },
      { name: 'ä\u202e\u0007', version: '' },
      { name: 'x' },
      {},
      null,
      'x',
    ],
    [LEVEL]: ['info', 'x', null],
    progressToken: [1, 'p', '', 1.5, null, {}],
    traceparent: ['00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01', 'x', 1, null],
    tracestate: ['a=b', 1],
    'claudecode/toolUseId': ['toolu_1'],
    'io.modelcontextprotocol/related-task': [{ taskId: 't' }, 5],
    extra: [1, {}],
  }
  const changed = Object.entries(parts).flatMap(([key, values]) =>
    [undefined, ...(values as unknown[])].flatMap((value) =>
      ['read_request', 'tell_progress', undefined].map((name) => {
        const body =
          name === undefined ? list(era) : call(era, { name, arguments: name === 'read_request' ? { value: 1 } : {} })
        const _meta = { ...own, [key]: value }
        const what = `_meta ${key} ${JSON.stringify(value)?.slice(0, 40)} for ${name ?? 'the list'}`
        return send(what, era, withMeta(body, _meta))
      }),
    ),
  )
  const replaced = [...ODD_VALUES, { ...own, x: { name: 'y'.repeat(5000) } }].flatMap((_meta) =>
    [read(era), list(era)].map((body) =>
      send(`${body['method']} _meta ${JSON.stringify(_meta).slice(0, 40)}`, era, withMeta(body, _meta)),
    ),
  )
  const unwritable = { ...own, [CAPS]: { experimental: { x: { y: '@' } } } }
  const large = envelope({ [INFO]: { name: 'x', version: 'y'.repeat(5000) } })
  return [
    ...changed,
    ...replaced,
    send('large envelope', era, withMeta(read(era), large)),
    raw('capability 1e400 after one of null', era, withMeta(read(era), unwritable), '1e400'),
  ]
}

/** Every case of both eras. */
export const CASES: readonly Case[] = [
  ...ERAS.flatMap((era) =>
    [results, ids, names, argumentCases, fields, metas, headerCases, mixed, others].flatMap((cases) => cases(era)),
  ),
  ...asked(),
]

/** Good requests of each kind, to damage. */
export const GOOD: readonly Case[] = ERAS.flatMap((era) => [
  send('read', era, read(era)),
  send('list', era, list(era)),
  send('write', era, call(era, { name: 'write_once', arguments: { tag: 'x', idempotency_key: 'k' } })),
  send('progress', era, call(era, { name: 'tell_progress' })),
  send('odd', era, call(era, { name: 'answer_oddly', arguments: { shape: 'surrogates' } })),
])
