import { setTimeout as sleep } from 'node:timers/promises'
import { assembleServer, defineTool } from '@story-portal/shared/mcp'
import { type Opened, open } from '@story-portal/shared/testing'
import { beforeAll, expect, test } from 'vitest'
import { z } from 'zod'

let tools: Opened
beforeAll(async () => {
  tools = await open('tool-execution', { start: true })
})

test('code runs with its input, and the call is on record', async () => {
  const { call } = tools
  const run = await call('run_code', { code: 'console.log("hi"); return input.a + 1', input: { a: 1 } })
  expect(run).toMatchObject({
    result: 2,
    logs: [{ level: 'log', message: 'hi' }],
    status: 'succeeded',
    replayed: false,
  })
  expect(run.usage).toEqual({
    wall_ms: expect.any(Number),
    cpu_ms: expect.any(Number),
    memory_bytes: expect.any(Number),
  })
  const { invocation } = await call('get_invocation', { invocation_id: run.invocation_id })
  expect(invocation).toMatchObject({ status: 'succeeded', kind: 'code', output: 2, effect: 'pure', attempt: 1 })
})

test('TypeScript runs, and no result is null', async () => {
  const { call } = tools
  const typed = { code: 'const n: number = input as number\nreturn n * 2', language: 'typescript', input: 21 }
  expect((await call('run_code', typed)).result).toBe(42)
  expect((await call('run_code', { code: 'const a = 1' })).result).toBeNull()
})

test('what the code throws is the error, with its line and the logs, and the invocation has failed', async () => {
  const { call, callError } = tools
  const error = await callError('run_code', { code: 'console.log("before")\nthrow new RangeError("too far")' })
  expect(error).toMatchObject({
    code: 'INVALID_INPUT',
    number: 'E3001',
    message: 'The code threw RangeError: too far',
    details: { name: 'RangeError', message: 'too far', line: 2, logs: [{ level: 'log', message: 'before' }] },
  })
  const { invocation } = await call('get_invocation', { invocation_id: error.details?.['invocation_id'] })
  expect(invocation).toMatchObject({ status: 'failed', error: { number: 'E3001' } })
})

test.each([
  ['a syntax error', { code: 'let a = ;' }, 'E3002', { line: 1, column: 9 }],
  ['a result that is no JSON', { code: 'return () => 1' }, 'E3003', {}],
  ['a result with NUL', { code: 'return "a\\u0000b"' }, 'E3004', {}],
  ['half a surrogate pair', { code: 'return { a: ["\\ud800"] }' }, 'E3004', {}],
  ['a result too deep', { code: 'let a = 1; for (let i = 0; i < 500; i++) a = [a]; return a' }, 'E3004', {}],
  ['time', { code: 'while (true) {}', limits: { timeout_ms: 100 } }, 'E3010', {}],
  [
    'heap',
    { code: 'const a = []; while (true) a.push(new Array(1e5).fill(1))', limits: { memory_mb: 16 } },
    'E3012',
    {},
  ],
  ['a huge result', { code: 'return "x".repeat(2e6)' }, 'E3014', {}],
  ['a tool that is not granted', { code: 'return await tools.data.append_event({})' }, 'E3030', {}],
])('%s ends the run with its own error', async (_name, args, number, details) => {
  const { callError, call } = tools
  expect(await callError('run_code', args)).toMatchObject({ number, details: { logs: [], ...details } })
  expect((await call('run_code', { code: 'return "next"' })).result).toBe('next')
})

test('an error with NUL in it is recorded all the same', async () => {
  const { callError } = tools
  const error = await callError('run_code', { code: 'console.log("a\\u0000"); throw new Error("b\\u0000\\udc00")' })
  expect(error).toMatchObject({
    number: 'E3001',
    details: { message: 'b\ufffd\ufffd', logs: [{ message: 'a\ufffd' }] },
  })
})

test('the same key gives the recorded result, other arguments under it a conflict', async () => {
  const { call, callError } = tools
  const args = { code: 'return Math.random()', idempotency_key: 'once' }
  const first = await call('run_code', args)
  const second = await call('run_code', args)
  expect(second).toMatchObject({ result: first.result, invocation_id: first.invocation_id, replayed: true })
  expect(await callError('run_code', { ...args, code: 'return 2' })).toMatchObject({
    code: 'CONFLICT',
    number: 'E0015',
  })
})

test('a failure is recorded under its key too', async () => {
  const { callError } = tools
  const args = { code: 'throw new Error(String(Math.random()))', idempotency_key: 'fails' }
  const first = await callError('run_code', args)
  expect((await callError('run_code', args)).message).toBe(first.message)
})

test('ten calls at once under one key run once', async () => {
  const { call } = tools
  const args = { code: 'return Math.random()', idempotency_key: 'together' }
  const runs = await Promise.all(Array.from({ length: 10 }, () => call('run_code', args)))
  expect(new Set(runs.map((run) => run.result)).size).toBe(1)
  expect(runs.filter((run) => !run.replayed)).toHaveLength(1)
})

test.each([
  [{ code: '' }, 'code'],
  [{ code: 'x'.repeat(262_145) }, 'code'],
  [{ code: '1', language: 'python' }, 'language'],
  [{ code: '1', limits: { timeout_ms: 0 } }, 'limits.timeout_ms'],
  [{ code: '1', permissions: { tools: ['data'] } }, 'permissions.tools[0]'],
  [{ code: '1', permissions: { http: ['https://example.com'] } }, 'permissions.http[0]'],
  [{ code: '1', mode: 'later' }, 'mode'],
])('bad arguments name their path: %#', async (args, path) => {
  const { callError } = tools
  const error = await callError('run_code', args)
  expect(error.code).toBe('INVALID_INPUT')
  expect(error.details?.faults?.some((fault) => fault.path.startsWith(path))).toBe(true)
})

test('a reader may not run code', async () => {
  const { callError } = await open('tool-execution', { caller: { roles: ['reader'] } })
  expect(await callError('run_code', { code: 'return 1' })).toMatchObject({ code: 'DENIED' })
})

test('a cancelled call ends its run', async () => {
  const { call, host, caller } = tools
  const cancel = new AbortController()
  const running = host.call(
    'tool-execution',
    'run_code',
    { code: 'while (true) {}' },
    { caller, signal: cancel.signal },
  )
  const ended = expect(running).rejects.toMatchObject({ code: 'CONFLICT' })
  await sleep(300)
  cancel.abort()
  await ended
  await expect.poll(async () => (await call('list_invocations', {})).items[0]?.status).toBe('cancelled')
})

test('in the background it returns at once and get_invocation tells how it ended', async () => {
  const { call } = tools
  const begun = await call('run_code', { code: 'return 7', mode: 'background' })
  expect(begun).toMatchObject({ result: null, usage: null, status: 'pending' })
  const read = async () => (await call('get_invocation', { invocation_id: begun.invocation_id })).invocation
  await expect.poll(async () => (await read()).status, { timeout: 30_000 }).toBe('succeeded')
  expect((await read()).output).toBe(7)
})

/** A server of this test's own, to be called from code. */
function counter() {
  const calls: unknown[] = []
  const server = assembleServer(
    {
      name: 'test-counter',
      version: '1.0.0',
      title: 'Counter',
      layer: '-',
      port: 99,
      summary: 'counts',
      instructions: 'Counts.',
    },
    [
      defineTool({
        name: 'count_up',
        description: 'Counts. Nothing else.',
        effect: 'execute',
        transaction: false,
        input: { by: z.int() },
        output: { total: z.number(), key: z.string().optional() },
        async run({ by }, ctx) {
          calls.push(by)
          return { total: calls.length, key: ctx.idempotency_key }
        },
      }),
      defineTool({
        name: 'get_scopes',
        description: 'Returns who calls. Nothing else.',
        effect: 'read',
        transaction: false,
        input: {},
        output: { scopes: z.array(z.string()), depth: z.number() },
        run: async (_args, { caller }) => ({ scopes: [...caller.scopes], depth: caller.depth ?? 0 }),
      }),
    ],
  )
  return { calls, server }
}

async function openWithCounter() {
  const { calls, server } = counter()
  const opened = await open('tool-execution')
  ;(opened.host.servers as Map<string, typeof server>).set(server.name, server)
  return { ...opened, calls }
}

test('granted tools are called as the caller, cut to the grant, and journaled under the run', async () => {
  const { call, calls } = await openWithCounter()
  const code =
    'const a = await tools.test_counter.count_up({ by: 2 }); const b = await tools.test_counter.get_scopes({}); return [a, b]'
  const args = {
    code,
    permissions: { tools: ['test_counter.count_up', 'test-counter.get_scopes'] },
    idempotency_key: 'k',
  }
  const run = await call('run_code', args)
  expect(run.result).toEqual([
    { total: 1, key: `${run.invocation_id}/0` },
    { scopes: ['test-counter:count_up', 'test-counter:get_scopes'], depth: 1 },
  ])
  expect((await call('run_code', args)).replayed).toBe(true)
  expect(calls).toEqual([2])
  const { items } = await call('list_invocations', { parent_invocation_id: run.invocation_id })
  expect(items.map((item: { tool: string }) => item.tool).sort()).toEqual([
    'test-counter.count_up',
    'test-counter.get_scopes',
  ])
  const { invocation } = await call('get_invocation', { invocation_id: run.invocation_id })
  expect(invocation.effect).toBe('journaled')
})

test('a grant of one tool is no grant of another, and code can not grant itself more by running code', async () => {
  const { call, callError, calls } = await openWithCounter()
  const denied = await callError('run_code', {
    code: 'await tools.test_counter.count_up({ by: 1 })',
    permissions: { tools: ['test-counter.get_scopes'] },
  })
  expect(denied).toMatchObject({ number: 'E3030', code: 'DENIED' })
  expect(denied.message).toContain('test-counter.count_up')
  expect(denied.hint).toContain('"test-counter.count_up"')
  const inner = { code: 'return await tools.test_counter.count_up({ by: 1 })', permissions: { tools: ['*'] } }
  const code = `try { await tools.tool_execution.run_code(${JSON.stringify(inner)}) } catch (e) { return [e.code, e.number] }`
  const run = await call('run_code', { code, permissions: { tools: ['tool-execution.run_code'] } })
  expect(run.result).toEqual(['DENIED', 'E0003'])
  expect(calls).toEqual([])
})

test('code may run code, four levels deep and no deeper', async () => {
  const { call } = tools
  const nest = (levels: number): string =>
    levels === 0
      ? 'return "deepest"'
      : `const r = await tools.tool_execution.run_code({ code: ${JSON.stringify(nest(levels - 1))}, permissions: { tools: ['*'] } }); return r.result`
  const permissions = { tools: ['*'] }
  expect((await call('run_code', { code: nest(3), permissions })).result).toBe('deepest')
  const { result } = await call('run_code', { code: `try { ${nest(4)} } catch (e) { return e.number }`, permissions })
  expect(result).toBe('E3019')
})

test('an unknown tool or server is told to the code as it is to everybody', async () => {
  const { call } = tools
  const code = 'try { await tools.tool_execution.run_cod({}) } catch (e) { return [e.code, e.hint] }'
  const { result } = await call('run_code', { code, permissions: { tools: ['*'] } })
  expect(result).toEqual(['NOT_FOUND', expect.stringContaining('run_code')])
})
