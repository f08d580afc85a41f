import fc from 'fast-check'
import { GOOD } from './cases.ts'
import type { Case } from './exchange.ts'
import { CAPS, INFO, LEVEL, V } from './messages.ts'

type Headers = Case['headers']
type Json = null | boolean | number | string | Json[] | { [key: string]: Json }

const KEYS = [
  'jsonrpc',
  'id',
  'method',
  'params',
  'name',
  'arguments',
  '_meta',
  'value',
  'shape',
  'tag',
  'task',
  'cursor',
]
const MORE_KEYS = [
  'requestState',
  'inputResponses',
  'progressToken',
  'traceparent',
  V,
  CAPS,
  INFO,
  LEVEL,
  '__proto__',
  'x',
]
const WORDS = [
  '2.0',
  'tools/call',
  'tools/list',
  'read_request',
  'write_once',
  'tell_progress',
  '2026-07-28',
  '2025-06-18',
  '',
]
const VALUES: Json[] = [...WORDS, null, true, 0, 1, -1, 1.5, 1e21, [], [1], {}, { a: 1 }, 'é\u2028😀']

const value = fc.oneof(fc.constantFrom(...VALUES), fc.jsonValue({ maxDepth: 3 }) as fc.Arbitrary<Json>)
const key = fc.constantFrom(...KEYS, ...MORE_KEYS)
/** Where in the document: at each level the number picks a child, modulo how many there are. */
const place = fc.array(fc.nat(20), { maxLength: 4 })

const change = fc.oneof(
  fc.record({ kind: fc.constant('set' as const), place, value }),
  fc.record({ kind: fc.constant('add' as const), place, key, value }),
  fc.record({ kind: fc.constant('remove' as const), place }),
)
type Change = typeof change extends fc.Arbitrary<infer T> ? T : never

const HEADER_NAMES = [
  'Content-Type',
  'Accept',
  'MCP-Protocol-Version',
  'Mcp-Method',
  'Mcp-Name',
  'Mcp-Session-Id',
  'Host',
]
const HEADER_WORDS = ['application/json', 'text/event-stream', '*/*', 'localhost', 'a', ...WORDS]
const header = fc.record({
  name: fc.constantFrom(...HEADER_NAMES),
  value: fc.option(fc.constantFrom(...HEADER_WORDS)),
})

interface Edit {
  at: number
  put: string
}

const bytes: fc.Arbitrary<Edit[]> = fc.array(
  fc.record({ at: fc.nat(600), put: fc.constantFrom('"', '{', '}', '[', ']', ',', ':', '\\', '0', '1', ' ', 'é', '') }),
  { maxLength: 2 },
)

/** A good request with up to three changes of its document, two of its headers and two of its text; sometimes with none. */
export const damaged: fc.Arbitrary<Case> = fc
  .record({
    good: fc.constantFrom(...GOOD),
    changes: fc.array(change, { maxLength: 3 }),
    headers: fc.array(header, { maxLength: 2 }),
    bytes: fc.oneof({ weight: 3, arbitrary: fc.constant<Edit[]>([]) }, { weight: 1, arbitrary: bytes }),
  })
  .map(({ good, changes, headers, bytes: edits }) => {
    const document = changes.reduce(changed, JSON.parse(good.body.toString()) as Json)
    const text = edits.reduce(
      (whole, { at, put }) => whole.slice(0, at) + put + whole.slice(at + 1),
      JSON.stringify(document),
    )
    return { ...good, body: text, headers: headers.reduce(withHeader, good.headers) }
  })

function withHeader(headers: Headers, change: { name: string; value: string | null }): Headers {
  const others = headers.filter(([name]) => name !== change.name)
  return change.value === null ? others : [...others, [change.name, change.value]]
}

function changed(document: Json, change: Change): Json {
  return applied(document, change.place, change)
}

function applied(node: Json, [step, ...rest]: number[], change: Change): Json {
  if (typeof node !== 'object' || node === null) return change.kind === 'set' ? change.value : node
  const entries = Object.entries(node)
  const chosen = step === undefined || entries.length === 0 ? undefined : entries[step % entries.length]
  if (chosen === undefined) return here(node, entries, change)
  const [name, child] = chosen
  const kept = change.kind === 'remove' && rest.length === 0
  const next = kept
    ? entries.filter(([other]) => other !== name)
    : entries.map((entry) => (entry[0] === name ? [name, applied(child, rest, change)] : entry))
  return Array.isArray(node) ? next.map(([, item]) => item as Json) : (Object.fromEntries(next) as Json)
}

function here(node: Json, entries: [string, Json][], change: Change): Json {
  if (change.kind === 'set') return change.value
  if (change.kind === 'remove') return node
  return Array.isArray(node) ? [...node, change.value] : Object.fromEntries([...entries, [change.key, change.value]])
}
