import { sql } from 'kysely'
import { expect, test } from 'vitest'
import { fixtureServer, open } from '../testing/index.ts'

const fixture = fixtureServer()

function nested(depth: number): unknown {
  let value: unknown = 'core'
  for (let i = 0; i < depth; i += 1) value = [value]
  return value
}

test('a call goes in and comes out, by its name and by its old one', async () => {
  const { call, caller } = await open(fixture)
  expect(await call('echo_value', { value: { deep: [1, null, 'x'] } })).toMatchObject({
    value: { deep: [1, null, 'x'] },
    subject: caller.subject,
    client: 'vitest',
  })
  expect(await call('say_value', { value: 1 })).toMatchObject({ value: 1 })
})

test('every fault in the arguments comes back with its path and the likely name; nothing runs', async () => {
  const { call, callError } = await open(fixture)
  const error = await callError('echo_value', { valu: 1, nested: { dept: 1 } })
  expect(error).toMatchObject({ code: 'INVALID_INPUT', number: 'E0001', retryable: false })
  expect(error.correlation_id).toMatch(/^cor_[0-9a-f]{24}$/)
  expect(error.details?.faults).toEqual([
    { path: 'valu', message: 'is not a known field', hint: 'Did you mean value?' },
    { path: 'nested.dept', message: 'is not a known field', hint: 'Did you mean depth?' },
    { path: 'value', message: 'is required' },
    { path: 'nested.depth', message: 'is required' },
  ])
  expect(await call('count_notes')).toEqual({ count: 0 })
})

test('an unknown tool is a protocol error that names the tool and what to do next', async () => {
  const { client, call } = await open(fixture)
  await expect(client.callTool({ name: 'ech_value', arguments: {} })).rejects.toMatchObject({
    code: -32602,
    message: 'Tool ech_value not found',
    data: { error: { code: 'NOT_FOUND', number: 'E0009' } },
  })
  expect(await call('echo_value', { value: 'after' })).toMatchObject({ value: 'after' })
})

test('in process, an unknown server or tool is named with the likely one', async () => {
  const { host, caller } = await open(fixture)
  await expect(host.call('fixtur', 'echo_value', {}, { caller })).rejects.toMatchObject({
    number: 'E0010',
    hint: 'Did you mean fixture?',
  })
  await expect(host.call('fixture', 'echo_valu', {}, { caller })).rejects.toMatchObject({
    number: 'E0009',
    hint: expect.stringContaining('Did you mean echo_value?'),
  })
})

test('oversized, deep, cyclic and unstorable arguments are refused with a path, and the next call works', async () => {
  const { call, callError, host, caller } = await open(fixture)
  const cyclic: { value: unknown } = { value: {} }
  cyclic.value = { self: cyclic }
  await expect(host.call('fixture', 'echo_value', cyclic, { caller })).rejects.toMatchObject({
    number: 'E0903',
    details: { faults: [{ path: 'value.self' }] },
  })
  const refusals: [object, string][] = [
    [{ value: 'x'.repeat(2 ** 20 + 1) }, 'E0901'],
    [{ value: nested(64) }, 'E0902'],
    [{ value: 'a\0b' }, 'E0904'],
    [{ value: 'a\ud800' }, 'E0904'],
  ]
  for (const [args, number] of refusals) {
    expect(await callError('echo_value', args)).toMatchObject({
      number,
      code: 'INVALID_INPUT',
      details: { faults: [{ path: expect.stringMatching(/^value/) }] },
    })
    expect(await call('echo_value', { value: 'fine' })).toMatchObject({ value: 'fine' })
  }
  expect(await call('echo_value', { value: nested(62) })).toMatchObject({ subject: caller.subject })
})

test('what a library said stays in the log', async () => {
  const { callError } = await open(fixture)
  const error = await callError('throw_foreign')
  expect(error).toMatchObject({ code: 'INTERNAL', number: 'E0008' })
  expect(JSON.stringify(error)).not.toMatch(/ECONNREFUSED|hunter2|10\.0\.0\.7/)
})

test('a result outside its schema is our fault and undoes what the tool wrote', async () => {
  const { call, callError } = await open(fixture)
  expect(await callError('store_wrong', { title: 'x' })).toMatchObject({ number: 'E0008' })
  expect(await call('count_notes')).toEqual({ count: 0 })
})

test('a result that JSON does not have is answered, not left hanging', async () => {
  const { callError, call } = await open(fixture)
  expect(await callError('answer_wrong')).toMatchObject({ number: 'E0008' })
  expect(await call('echo_value', { value: 1 })).toMatchObject({ value: 1 })
})

test('one key, one effect: the repeat gets the first result, other arguments under it are a conflict', async () => {
  const { call, callError } = await open(fixture)
  const first = await call('add_note', { title: 'a', idempotency_key: 'k1' })
  expect(await call('add_note', { title: 'a', idempotency_key: 'k1' })).toEqual(first)
  expect(await callError('add_note', { title: 'b', idempotency_key: 'k1' })).toMatchObject({
    number: 'E0015',
    code: 'CONFLICT',
  })
  await call('add_note', { title: 'a' })
  expect(await call('count_notes')).toEqual({ count: 2 })
})

test('twenty callers with one key at once: one note, one answer', async () => {
  const { call } = await open(fixture)
  const answers = await Promise.all(
    Array.from({ length: 20 }, () => call('add_note', { title: 'a', idempotency_key: 'k' })),
  )
  expect(new Set(answers.map(({ id }) => id)).size).toBe(1)
  expect(await call('count_notes')).toEqual({ count: 1 })
})

test('a call that is late is told so, and has changed nothing', async () => {
  const { call, host, caller } = await open(fixture)
  await expect(
    host.call('fixture', 'add_note', { title: 'late', wait_ms: 300 }, { caller, timeout_ms: 50 }),
  ).rejects.toMatchObject({ number: 'E0017', code: 'UNAVAILABLE' })
  expect(await call('count_notes')).toEqual({ count: 0 })
})

test('a call its client cancels ends, and has changed nothing', async () => {
  const { call, host, caller } = await open(fixture)
  const cancel = new AbortController()
  const running = host.call('fixture', 'add_note', { title: 'gone', wait_ms: 300 }, { caller, signal: cancel.signal })
  setTimeout(() => cancel.abort(), 50)
  await expect(running).rejects.toMatchObject({ number: 'E0011' })
  expect(await call('count_notes')).toEqual({ count: 0 })
})

test('a tool that ignores its signal is left behind after a moment', async () => {
  const { host, caller } = await open(fixture)
  const args = { steps: 400, step_ms: 10, stubborn: true }
  await expect(host.call('fixture', 'run_slowly', args, { caller, timeout_ms: 30 })).rejects.toMatchObject({
    number: 'E0017',
  })
})

test('progress reaches the client in order', async () => {
  const { call } = await open(fixture)
  const seen: number[] = []
  await call('run_slowly', { steps: 4 }, { onprogress: ({ progress }) => seen.push(progress) })
  expect(seen).toEqual([1, 2, 3, 4])
})

test('roles and scopes decide before the tool runs, and lists show what may be called', async () => {
  const reader = await open(fixture, { caller: { roles: ['reader'] } })
  expect(await reader.callError('add_note', { title: 'no' })).toMatchObject({ code: 'DENIED', number: 'E0003' })
  expect(await reader.callError('admin_only')).toMatchObject({ code: 'DENIED' })
  expect(await reader.call('count_notes')).toEqual({ count: 0 })
  const { tools } = await reader.client.listTools()
  expect(tools.map(({ name }) => name)).toEqual(['count_notes', 'echo_value', 'throw_foreign'])
  const narrow = await open(fixture, { caller: { scopes: ['fixture:count_notes'] } })
  expect(await narrow.callError('echo_value', { value: 1 })).toMatchObject({ code: 'DENIED' })
  const nobody = await open(fixture, { caller: { roles: [] } })
  expect((await nobody.client.listTools()).tools).toEqual([])
})

test('a call to another tool keeps caller, correlation and error; its own transaction is out of reach', async () => {
  const { call, callError, caller } = await open(fixture)
  const inner = { server: 'fixture', tool: 'echo_value', arguments: { value: 1 } }
  expect(await call('call_other', inner)).toMatchObject({
    subject: caller.subject,
    correlation_id: expect.stringMatching(/^cor_/),
  })
  const failing = { server: 'fixture', tool: 'throw_coded', arguments: { id: 'n1' } }
  const [direct, through] = [await callError('throw_coded', { id: 'n1' }), await callError('call_other', failing)]
  expect({ ...through, correlation_id: '' }).toEqual({ ...direct, correlation_id: '' })
  expect(await callError('call_other', { ...inner, tool: 'add_note', arguments: {} })).toMatchObject({
    number: 'E0001',
  })
})

test('the trace and the correlation id of a call are written into its events', async () => {
  const { client, db, tenant } = await open(fixture)
  const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'
  await client.callTool({ name: 'add_note', arguments: { title: 'traced' }, _meta: { traceparent } })
  const { rows } = await db.tx({ kind: 'system', name: 'test' }, (tx) =>
    sql<{ traceparent: string; correlation_id: string; source: string }>`
      select traceparent, correlation_id, source from core.events where tenant_id = ${tenant}`.execute(tx),
  )
  expect(rows).toHaveLength(1)
  expect(rows[0]?.traceparent).toMatch(/^00-4bf92f3577b34da6a3ce929d0e0e4736-(?!00f067aa0ba902b7)[0-9a-f]{16}-01$/)
  expect(rows[0]).toMatchObject({ correlation_id: expect.stringMatching(/^cor_/), source: 'story-portal/fixture' })
})

test('every call is counted by outcome, and an invented name makes no series of its own', async () => {
  const { call, callError, host, caller } = await open(fixture)
  await call('echo_value', { value: 1 })
  await callError('throw_foreign')
  await host.call('fixture', 'made_up_name', {}, { caller }).catch(() => {})
  const text = await host.metrics.text()
  expect(text).toContain('story_portal_tool_calls_total{server="fixture",tool="echo_value",code="ok"} 1')
  expect(text).toContain('story_portal_tool_calls_total{server="fixture",tool="throw_foreign",code="INTERNAL"} 1')
  expect(text).toContain('story_portal_tool_calls_total{server="fixture",tool="unknown",code="NOT_FOUND"} 1')
  expect(text).not.toContain('made_up_name')
  expect(text).toContain('story_portal_tool_calls_in_flight{server="fixture"} 0')
})

test('closing lets a call in flight finish, refuses new ones from outside, and happens once', async () => {
  const opened = await open(fixture)
  const running = opened.call('run_slowly', { steps: 10, step_ms: 20 })
  await new Promise((resolve) => setTimeout(resolve, 30))
  const closing = opened.host.close()
  expect(await opened.callError('echo_value', { value: 1 })).toMatchObject({
    number: 'E0905',
    retryable: true,
    retry_after_ms: 1000,
  })
  expect(await opened.host.ready()).toMatchObject({ ok: false, reasons: expect.arrayContaining(['shutting down']) })
  expect(await running).toEqual({ steps: 10 })
  await closing
  expect(opened.host.close()).toBe(opened.host.close())
})
