import { setTimeout as sleep } from 'node:timers/promises'
import { createRecord } from '@story-portal/shared/data'
import { errors } from '@story-portal/shared/errors'
import { assembleServer, defineServer, defineTool, type Host, type LoadedServer } from '@story-portal/shared/mcp'
import { z } from 'zod'

/** How often a tool of this server has started, per host. */
export const starts = new WeakMap<Host, number>()

function count(host: Host): void {
  starts.set(host, (starts.get(host) ?? 0) + 1)
}

/** A server whose tools show everything a call brings along, and answer in every odd shape a tool can think of. */
export function requestReader(): LoadedServer {
  const definition = defineServer({
    title: 'Reader "of" requests',
    layer: 'L99',
    port: 91,
    summary: 'Tools for the comparison of two ways to answer.',
    instructions: 'For tests only.',
  })
  const tools = [
    readRequest,
    answerOddly,
    tellProgress,
    writeOnce,
    wait,
    ofAdmins,
    namedAsInherited,
    inTransaction,
    addNote,
  ]
  return assembleServer({ ...definition, name: 'reader', version: '4.5.6-ü' }, tools)
}

const readRequest = defineTool({
  name: 'read_request',
  description: 'Returns everything a tool gets to know of its request.',
  effect: 'read',
  transaction: false,
  aliases: ['see_request'],
  input: {
    value: z.unknown(),
    text: z.string().max(50).optional(),
    number: z.number().min(0).default(7),
    nested: z.object({ list: z.array(z.int()).max(3) }).optional(),
  },
  output: { args: z.unknown(), caller: z.unknown(), key: z.string().optional(), deadline: z.boolean() },
  async run(args, { caller, deadline, idempotency_key, signal, host, correlation_id }) {
    count(host)
    return {
      args,
      caller,
      deadline: deadline !== undefined,
      aborted: signal.aborted,
      correlation_id,
      ...(idempotency_key === undefined ? {} : { key: idempotency_key }),
    }
  },
})

const cyclic: Record<string, unknown> = {}
cyclic['self'] = cyclic
const circle = (): Record<string, unknown> => cyclic

/** Results as tools and libraries make them; what JSON, the schemas and the protocol do with them must be the same both ways. */
export const ODD_RESULTS: Record<string, () => unknown> = {
  nothing: () => undefined,
  null: () => null,
  array: () => [1, 2],
  text: () => 'text',
  empty: () => ({}),
  bigint: () => ({ value: 1n }),
  cycle: circle,
  deep_cycle: () => ({ a: [{ b: circle() }] }),
  dates: () => ({ at: new Date(0), list: [new Date(1)] }),
  not_numbers: () => ({ nan: Number.NaN, infinite: -Infinity, minus_zero: -0 }),
  absent: () => ({ undefined: undefined, list: [undefined, () => 1, Symbol('x')], run: () => 1 }),
  symbols: () => ({ [Symbol('x')]: 1, y: 2 }),
  proto: () => JSON.parse('{"__proto__": {"x": 1}, "constructor": 2, "a": {"__proto__": 3}}'),
  numeric_keys: () => ({ b: 1, 2: 2, 1: 1, a: 0 }),
  collections: () => ({ map: new Map([[1, 2]]), set: new Set([1]), bytes: new Uint8Array([1, 2]), regexp: /x/ }),
  surrogates: () => ({ 'lone \ud800': '\udfff', emoji: '😀', separators: '\u2028\u2029', nul: '\0', quotes: '"\\' }),
  sse_lines: () => ({ text: 'data: x\n\nevent: message\r\n\r: y' }),
  own_words: () => ({ content: [{ type: 'text', text: 'x' }], isError: true, structuredContent: 1 }),
  parked: () => ({ approval: { id: 'apr_1', status: 'pending', question: 'x with {}?', idempotency_key: 'k' } }),
  input_required: () => ({ resultType: 'input_required', inputRequests: {}, requestState: 's' }),
  other_type: () => ({ resultType: 'task', _meta: { x: 1 }, ttlMs: 3, task: {} }),
  meta: () => ({ _meta: { 'io.modelcontextprotocol/serverInfo': { name: 'other' } }, tools: [] }),
  own_json: () => ({ toJSON: () => ({ replaced: true }) }),
  json_text: () => ({ toJSON: () => 'text' }),
  json_nothing: () => ({ toJSON: () => undefined }),
  json_throws: () => ({
    toJSON: () => {
      throw new Error('no JSON here')
    },
  }),
  getter_throws: () => ({
    get value() {
      throw new Error('no value here')
    },
  }),
  large: () => ({ text: 'ä'.repeat(300_000), list: Array.from({ length: 5000 }, (_, i) => ({ i })) }),
  throws_coded: () => {
    throw errors.notFound({ kind: 'note', id: 'n1' }, { details: { looked_in: 'the box' } })
  },
  throws_retryable: () => {
    throw errors.unavailable({ what: 'It' }, { retry_after_ms: 5 })
  },
  throws_error: () => {
    throw new Error('connect ECONNREFUSED 10.0.0.7:5432 password=hunter2')
  },
  throws_protocol: () => {
    throw Object.assign(new Error('elicit'), { code: -32042, data: { elicitations: [] } })
  },
  throws_text: () => {
    throw 'text'
  },
  throws_nothing: () => {
    throw undefined
  },
}

const answerOddly = defineTool({
  name: 'answer_oddly',
  description: 'Answers in the shape that is named.',
  effect: 'execute',
  transaction: false,
  mayAsk: true,
  input: { shape: z.string() },
  output: {},
  async run({ shape }, { host }) {
    count(host)
    return ODD_RESULTS[shape]?.() as Record<string, unknown>
  },
})

const tellProgress = defineTool({
  name: 'tell_progress',
  description: 'Tells how far it is, twice.',
  effect: 'execute',
  transaction: false,
  input: {},
  output: { done: z.boolean() },
  async run(_args, { progress, host }) {
    count(host)
    progress({ progress: 1, total: 2, message: 'half' })
    await sleep(1)
    progress({ progress: 2, total: 2 })
    await sleep(1)
    return { done: true }
  },
})

const writeOnce = defineTool({
  name: 'write_once',
  description: 'Takes a key.',
  effect: 'create',
  transaction: false,
  input: { tag: z.string() },
  output: { tag: z.string(), key: z.string().nullable() },
  async run({ tag }, { idempotency_key, host }) {
    count(host)
    return { tag, key: idempotency_key ?? null }
  },
})

/** Waits that have begun and waits that were cancelled, by tag. */
export const waits = { begun: new Set<string>(), cancelled: new Set<string>() }

const wait = defineTool({
  name: 'wait_for_cancel',
  description: 'Waits until it is cancelled.',
  effect: 'execute',
  transaction: false,
  input: { tag: z.string(), ms: z.int().default(60_000) },
  output: { tag: z.string() },
  async run({ tag, ms }, { signal, host }) {
    count(host)
    waits.begun.add(tag)
    try {
      await sleep(ms, undefined, { signal })
    } catch {
      waits.cancelled.add(tag)
      throw signal.reason
    }
    return { tag }
  },
})

const ofAdmins = defineTool({
  name: 'admin_only',
  description: 'Returns a secret.',
  effect: 'delete',
  transaction: false,
  roles: ['admin'],
  input: {},
  output: { secret: z.boolean() },
  async run() {
    return { secret: true }
  },
})

const namedAsInherited = defineTool({
  name: 'constructor',
  description: 'Has the name of something that every object inherits.',
  effect: 'read',
  transaction: false,
  input: { toString: z.string().optional() },
  output: {},
  async run(args) {
    return { args }
  },
})

const inTransaction = defineTool({
  name: 'in_transaction',
  description: 'Runs in a transaction.',
  effect: 'read',
  input: {},
  output: { inside: z.boolean() },
  async run(_args, { tx }) {
    return { inside: tx !== undefined }
  },
})

const addNote = defineTool({
  name: 'add_note',
  description: 'Keeps a note, and with it an event that carries the trace of the call.',
  effect: 'create',
  input: { title: z.string() },
  output: { id: z.string() },
  async run({ title }, { tx, host }) {
    count(host)
    const { id } = await createRecord(tx, 'goal', { title })
    return { id }
  },
})
