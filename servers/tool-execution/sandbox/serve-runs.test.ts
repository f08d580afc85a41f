import { createRequire } from 'node:module'
import { duplexPair } from 'node:stream'
import { expect, test } from 'vitest'
import { encodeFrame, frameReader } from './frames.ts'
import { DEFAULT_LIMITS } from './limits.ts'
import type { FromWorker, ToWorker } from './messages.ts'
import { serveRuns } from './serve-runs.ts'

// The program of a sandbox process, in this process and with code that means no harm: what each message answers.

const vm = createRequire(import.meta.url)('isolated-vm')

type Frame = { head: FromWorker; body: string }

function connect() {
  const [near, far] = duplexPair()
  const frames: Frame[] = []
  let wake = () => {}
  near.on(
    'data',
    frameReader({ head: 65_536, body: 1e8 }, (head, body) => {
      frames.push({ head: head as FromWorker, body })
      wake()
    }),
  )
  serveRuns(vm, far)
  return {
    async next(): Promise<Frame> {
      while (frames.length === 0) await new Promise<void>((resolve) => (wake = resolve))
      return frames.shift() as Frame
    },
    send: (message: ToWorker, body = '') => void near.write(encodeFrame(message, body)),
    run(code: string, input: unknown = null, more: Partial<Extract<ToWorker, { t: 'run' }>> = {}) {
      this.send(
        { t: 'run', language: 'javascript', check: false, code_length: code.length, limits: DEFAULT_LIMITS, ...more },
        code + JSON.stringify(input),
      )
    },
  }
}

async function outcome(code: string, input?: unknown, more?: Partial<Extract<ToWorker, { t: 'run' }>>) {
  const worker = connect()
  await worker.next()
  worker.run(code, input, more)
  const { head, body } = await worker.next()
  return head.t === 'done' ? { ...head.outcome, ...(body === '' ? {} : { body }) } : head
}

test('says that it is ready, runs one job after another, each in an isolate of its own', async () => {
  const worker = connect()
  expect((await worker.next()).head).toEqual({ t: 'ready' })
  worker.run('globalThis.left = 1; return input.a + 1', { a: 41 })
  const first = await worker.next()
  expect(first).toMatchObject({ head: { t: 'done', outcome: { end: 'result' } }, body: '42' })
  expect(first.head.t === 'done' && first.head.usage.memory_bytes).toBeGreaterThan(100_000)
  worker.run('return typeof left')
  expect((await worker.next()).body).toBe('"undefined"')
})

test('log lines and calls leave in order, and an answer goes on with the code', async () => {
  const worker = connect()
  await worker.next()
  worker.run('console.warn("a", { b: 1 }, new Map()); const x = await tools.data.get_record({ id: 1 }); return x.y')
  expect(await worker.next()).toEqual({ head: { t: 'log', level: 'warn' }, body: 'a {"b":1} {}' })
  expect(await worker.next()).toEqual({ head: { t: 'call', index: 0, name: 'data.get_record' }, body: '{"id":1}' })
  worker.send({ t: 'answer', index: 0, ok: true }, '{"y":"z"}')
  expect((await worker.next()).body).toBe('"z"')
})

test('an answer that is an error can be caught with its fields, and is named when it is not', async () => {
  const worker = connect()
  await worker.next()
  worker.run(
    'try { await tools.a.b() } catch (e) { console.log(e.number, e.message, e instanceof Error) } await tools.a.b()',
  )
  await worker.next()
  const body = JSON.stringify({ message: 'no', number: 'E1234' })
  worker.send({ t: 'answer', index: 0, ok: false }, body)
  expect((await worker.next()).body).toBe('E1234 no true')
  await worker.next()
  worker.send({ t: 'answer', index: 1, ok: false }, body)
  expect((await worker.next()).head).toMatchObject({ outcome: { end: 'threw', error: { message: 'no', call: 1 } } })
})

test.each([
  [
    'what is thrown, with the lines of the code',
    'const a = 1\n  function g() { null.x }\ng()',
    { end: 'threw', error: { name: 'TypeError', stack: 'g (code:2:23)\ncode:3:1' } },
  ],
  [
    'something thrown that is no error',
    'throw { a: 1 }',
    { end: 'threw', error: { name: 'Error', message: '{"a":1}' } },
  ],
  [
    'a syntax error with its place',
    'let a = 1\nlet b =;',
    { end: 'syntax', line: 2, column: 8, message: "Unexpected token ';'" },
  ],
  ['a body that closes its function', '} async function more() {', { end: 'syntax' }],
  ['an unclosed body', 'if (true) {\n', { end: 'syntax' }],
  ['a result that is a function', 'return () => 1', { end: 'not_json', message: 'a function' }],
  ['a result with a cycle', 'const a = {}; a.a = a; return a', { end: 'not_json' }],
  ['no result', '', { end: 'result', body: 'null' }],
])('%s', async (_name, code, expected) => {
  expect(await outcome(code)).toMatchObject(expected)
})

test.each([
  ['types', 'const a: number = input as number\nreturn a', { end: 'result', body: '7' }],
  ['a fault in types', 'const a = 1\nconst b: number = ;', { end: 'syntax', line: 2, column: 19 }],
  ['what stripping can not do', 'enum A { B }', { end: 'syntax', line: 1, message: expect.stringContaining('enum') }],
])('TypeScript: %s', async (_name, code, expected) => {
  expect(await outcome(code, 7, { language: 'typescript' })).toMatchObject(expected)
})

test('check parses and runs nothing', async () => {
  expect(await outcome('while (true) {}', null, { check: true })).toMatchObject({ end: 'result', body: 'null' })
  expect(await outcome('while (true) {', null, { check: true })).toMatchObject({ end: 'syntax' })
})

test.each([
  ['result_bytes', 'return "x".repeat(200)'],
  ['log_bytes', 'for (;;) console.log("")'],
  ['host_calls', 'for (let i = 0; i < 4; i++) tools.a.b().catch(() => {})'],
  ['concurrent_host_calls', 'for (let i = 0; i < 3; i++) tools.a.b().catch(() => {})'],
  ['host_bytes', 'await tools.a.b("x".repeat(200))'],
  ['wall_ms', 'await new Promise(() => {})'],
  ['wall_ms', 'for (;;);'],
] as const)('the limit %s ends the run', async (limit, code) => {
  const small = {
    result_bytes: 100,
    log_bytes: 100,
    host_bytes: 100,
    wall_ms: limit === 'wall_ms' ? 50 : 10_000,
    host_calls: limit === 'host_calls' ? 2 : 9,
  }
  const worker = connect()
  await worker.next()
  worker.run(code, null, {
    limits: { ...DEFAULT_LIMITS, concurrent_host_calls: limit === 'host_calls' ? 9 : 2, ...small },
  })
  for (;;) {
    const { head } = await worker.next()
    if (head.t !== 'done') continue
    expect(head.outcome).toEqual({ end: 'limit', limit })
    break
  }
})
